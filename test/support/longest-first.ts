import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** By folder, the longest files first: where nothing is remembered of an earlier run, a file of two lines may be all of a contract. */
const folders = [
  '/test/e2e/',
  '/test/contracts/',
  '/test/scenarios/engine',
  '/test/integration/',
  '/test/integration/protocol/',
  '/test/',
]

const placeOf = ({ moduleId, project }: TestSpecification): number => {
  const path = moduleId.slice(project.config.root.length)
  const best = folders.filter((folder) => path.startsWith(folder)).sort((one, other) => other.length - one.length)[0]
  return best === undefined ? folders.length : folders.indexOf(best)
}

/** So that the run does not end with one long file beside idle processors. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => placeOf(one) - placeOf(other))
  }
}
