/** Hosts of one cloud; a token of one is worth nothing in another (Microsoft Graph deployments). */
export type Cloud = {
  /** Origin of Graph, without version or trailing slash. */
  readonly graph: string
  /** Origin of the token endpoint. */
  readonly authority: string
  /** false: `authority` is not one of Microsoft's, so its metadata is asked of itself and not of the public cloud. */
  readonly known: boolean
}

export const cloudNames = ['global', 'us-l4', 'us-l5', 'china'] as const

/** https://learn.microsoft.com/graph/deployments */
const clouds: Readonly<Record<(typeof cloudNames)[number], Cloud>> = {
  global: { graph: 'https://graph.microsoft.com', authority: 'https://login.microsoftonline.com', known: true },
  'us-l4': { graph: 'https://graph.microsoft.us', authority: 'https://login.microsoftonline.us', known: true },
  'us-l5': { graph: 'https://dod-graph.microsoft.us', authority: 'https://login.microsoftonline.us', known: true },
  china: {
    graph: 'https://microsoftgraph.chinacloudapi.cn',
    authority: 'https://login.chinacloudapi.cn',
    known: true,
  },
}

type Named = { readonly cloud: (typeof cloudNames)[number] | Pick<Cloud, 'graph' | 'authority'> }

export const cloudOf = ({ cloud }: Named): Cloud =>
  typeof cloud === 'string' ? clouds[cloud] : { ...cloud, known: false }
