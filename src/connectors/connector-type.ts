import type { z } from 'zod'
import type { TargetId } from '../domain/ids.ts'
import type { Connector, ConnectorTools, Manifest } from './connector.ts'

/** What is wrong with a member of the settings, for whoever writes muster.yaml. Never quotes a value. */
export type SettingsProblem = { readonly path: readonly string[]; readonly message: string }

/**
 * All that Muster must know of a kind of target before it has one: read with the configuration, by every thread and command. So
 * nothing here imports a vendor's library; `create` loads it. Every member must be said: what is forgotten does not compile.
 */
export type ConnectorType<
  Type extends string = string,
  Member extends string = string,
  Schema extends z.ZodType = z.ZodType,
> = {
  /** As `type:` in muster.yaml says, and as the folder is called. */
  readonly type: Type
  /** The member of a target that holds its settings. */
  readonly member: Member
  readonly settings: Schema
  /** Members of the settings that are secrets: written as a reference, never as a value. */
  readonly secrets: readonly (readonly string[])[]
  /** Members that name a file: relative ones start from the configuration directory. */
  readonly files: readonly (readonly string[])[]
  /**
   * What a native id of an account looks like: what else is to be protected would protect nobody, without a word. `beforehand`:
   * it may be said of an account that is still to come, so none is looked for.
   */
  readonly accountIds: { readonly form: RegExp; readonly is: string; readonly beforehand: boolean }
  /** Whether `account.attributes` maps some by default: with `accounts: expect` none is then mapped that is not said. */
  readonly mapsByItself: boolean
  /** What `accounts: create` needs and these settings do not say. */
  readonly missingToCreate: (settings: z.output<Schema>) => readonly SettingsProblem[]
  /** Why `leaver.deleteAfter` must be null; null: accounts can be deleted. */
  readonly nothingToDelete: string | null
  /** What keeps two targets of the type from standing side by side; null: nothing. */
  readonly clash: (
    settings: z.output<Schema>,
    other: { readonly id: string; readonly settings: z.output<Schema> },
  ) => SettingsProblem | null
  readonly manifest: (settings: z.output<Schema>) => Manifest
  /** What the connector's `attributesHash` and `creationHash` read: plans depend on it. Plain text, no secrets. */
  readonly mapping: (settings: z.output<Schema>) => object
  /** Why a catalogue's look-up can name nothing on such a target; null: it may name something. */
  readonly lookupProblem: (lookup: string) => string | null
  /** What helps where the target does not tell who Muster is there; null: it is nobody's account or entitlement (no `own`). */
  readonly ownRemedy: string | null
  /** What was chosen and is worth knowing, for the doctor. */
  readonly remarks: (settings: z.output<Schema>) => readonly string[]
  /** Loads the connector with its vendor's library: tens of MB, once a target is of the type. */
  readonly create: (id: TargetId, settings: z.output<Schema>, tools: ConnectorTools) => Promise<Connector>
}

/** Checks it against its own schema, and keeps its names for the types of the configuration. */
export const connectorType = <const Type extends string, const Member extends string, Schema extends z.ZodType>(
  said: ConnectorType<Type, Member, Schema>,
): ConnectorType<Type, Member, Schema> => said

/** Of accounts that the target numbers by UUIDs. */
export const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
