import { typeNamed } from '../connectors/registry.ts'

/** Why a look-up can name nothing on its target; null where it may, and where the target or its type is a mistake itself. */
export const lookupProblemOn = (targets: readonly { readonly id: string; readonly type: string }[]) => {
  const types = new Map(targets.map(({ id, type }) => [id, type]))
  return (target: string, lookup: string): string | null =>
    typeNamed(types.get(target) ?? '')?.lookupProblem(lookup) ?? null
}
