/** A proxy that understands as much of LDAP as it takes to rewrite the attributes that a search asks for. */
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
  return Buffer.concat([Buffer.from([tag, 0x84]), size, content])
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

/** Each attribute that a search names passes through `rewrite`, which may do something else first. */
export async function requestShim(
  upstream: { readonly host: string; readonly port: number },
  rewrite: (attribute: string) => string | Promise<string>,
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
      queue = queue.then(async () => void remote.write(await rewritten(message, async (name) => rewrite(name))))
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
