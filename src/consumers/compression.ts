import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import kafkajs from 'kafkajs'
import { decompressLz4 } from './lz4.ts'
import { decompressSnappy } from './snappy.ts'

// CommonJS: Node's module loader does not see these among its named exports.
const { CompressionCodecs, CompressionTypes } = kafkajs

const unzstd = promisify(zstdDecompress)

const writesNone = async (): Promise<never> => {
  throw new Error('Muster writes without compression')
}

/**
 * kafkajs knows gzip only, and a batch in anything else ends its consumer for good, all partitions of it. How HR's
 * producers compress is theirs to choose, so all four are read here. Registered once a process, for all clients.
 */
export const readAllCompressions = (): void => {
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: writesNone,
    decompress: async (data: Buffer) => decompressLz4(data),
  })
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: writesNone,
    decompress: async (data: Buffer) => decompressSnappy(data),
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: writesNone,
    decompress: (data: Buffer) => unzstd(data),
  })
}
