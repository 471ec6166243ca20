/**
 * A proxy that understands as much of LDAP as it takes to rewrite the attributes that a search asks for, and to answer a
 * change in the place of the server: for what another server would say.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { frameReader } from '../../src/connectors/ldap-wire/framing.ts'

export type RequestShim = {
  readonly port: number
  readonly close: () => Promise<void>
}

const searchRequest = 0x63
const octetString = 0x04

type Element = { readonly tag: number; readonly content: Buffer }

const elementsOf = (bytes: Buffer): Element[] => {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0
    const count = first < 0x80 ? 0 : first & 0x7f
    const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
    const start = at + 2 + count
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return elements
}

const written = ({ tag, content }: Element): Buffer => {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(content.length)
  // ldapts reads small numbers in the short form only.
  const length = content.length < 0x80 ? size.subarray(3) : Buffer.concat([Buffer.from([0x84]), size])
  return Buffer.concat([Buffer.from([tag]), length, content])
}
const sequence = (elements: readonly Element[]) => Buffer.concat(elements.map(written))

/** RFC 4511 §4.5.1: the attributes are the last part of a search request. */
const rewritten = async (message: Buffer, rewrite: (attribute: string) => Promise<string>): Promise<Buffer> => {
  const [envelope] = elementsOf(message)
  const [id, operation, ...controls] = elementsOf(envelope?.content ?? Buffer.alloc(0))
  if (envelope === undefined || id === undefined || operation?.tag !== searchRequest) return message
  const parts = elementsOf(operation.content)
  const list = parts.pop()
  const attributes: Element[] = []
  for (const { content } of elementsOf(list?.content ?? Buffer.alloc(0)))
    attributes.push({ tag: octetString, content: Buffer.from(await rewrite(content.toString())) })
  const body = sequence([...parts, { tag: 0x30, content: sequence(attributes) }])
  return written({ tag: 0x30, content: sequence([id, { tag: searchRequest, content: body }, ...controls]) })
}

/** What the server would have said to a change. */
export type Refusal = { readonly code: number; readonly message: string }
/** Answers a change (its bytes, of whatever kind) instead of the server, or lets it through. */
export type Responder = (request: Buffer) => Refusal | null

const changes = new Set([0x66, 0x68, 0x4a, 0x6c])

/** RFC 4511 §4.1.9: the response's tag is the request's plus one, and always constructed. */
const refusal = (message: Buffer, respond: Responder): Buffer | null => {
  const [envelope] = elementsOf(message)
  const [id, operation] = elementsOf(envelope?.content ?? Buffer.alloc(0))
  if (id === undefined || operation === undefined || !changes.has(operation.tag)) return null
  const said = respond(message)
  if (said === null) return null
  const body = sequence([
    { tag: 0x0a, content: Buffer.from([said.code]) },
    { tag: octetString, content: Buffer.alloc(0) },
    { tag: octetString, content: Buffer.from(said.message) },
  ])
  return written({ tag: 0x30, content: sequence([id, { tag: (operation.tag | 0x20) + 1, content: body }]) })
}

/** Each attribute that a search names passes through `rewrite`, which may do something else first. */
export async function requestShim(
  upstream: { readonly host: string; readonly port: number },
  rewrite: (attribute: string) => string | Promise<string>,
  respond: Responder = () => null,
): Promise<RequestShim> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const remote = connect(upstream)
    for (const socket of [client, remote]) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket)
          client.destroy()
          remote.destroy()
        })
    }
    let queue = Promise.resolve()
    const frames = frameReader(({ bytes }) => {
      const message = Buffer.from(bytes)
      queue = queue.then(async () => {
        const answer = refusal(message, respond)
        if (answer !== null) client.write(answer)
        else remote.write(await rewritten(message, async (name) => rewrite(name)))
      })
    })
    client.on('data', (chunk) => frames.push(chunk))
    remote.on('data', (chunk) => client.write(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
