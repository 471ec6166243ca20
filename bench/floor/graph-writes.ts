/** Writes sent to Graph as fast as it takes them, as bare $batch requests: only to use up what a bucket holds. */
import type { GraphSimulator } from '../../simulators/graph/simulator.ts'

/** Parts of one $batch. */
const perRequest = 20

/** Renames a group so often. Throws when Graph refuses one of them. */
export const useUpWrites = async (graph: GraphSimulator, group: string, writes: number): Promise<void> => {
  const authorization = `Bearer ${await token(graph)}`
  for (let at = 0; at < writes; at += perRequest) {
    const requests = Array.from({ length: Math.min(perRequest, writes - at) }, (_, i) => ({
      id: String(i),
      method: 'PATCH',
      url: `/groups/${group}`,
      headers: { 'content-type': 'application/json' },
      body: { description: `write ${at + i}` },
    }))
    const response = await fetch(`${graph.url}/v1.0/$batch`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ requests }),
    })
    const { responses } = (await response.json()) as { readonly responses: readonly { readonly status: number }[] }
    const refused = responses.find(({ status }) => status >= 300)
    if (refused !== undefined) throw new Error(`Graph answered ${refused.status} to a write that was to be free`)
  }
}

const token = async ({ tokenUrl, apps: [app] }: GraphSimulator): Promise<string> => {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: app?.clientId ?? '',
      client_secret: app?.secrets?.[0] ?? '',
      scope: 'https://graph.microsoft.com/.default',
    }),
  })
  return ((await response.json()) as { readonly access_token: string }).access_token
}
