/** The naive engine as a process of its own, so that its processor time is its own as Muster's is. */
import { wallNow } from '../measure/wall-clock.ts'
import { type NaiveSettings, startNaiveEngine } from './engine.ts'

/** From the parent: await so many jobs in all, or stop. To the parent: ready, or the moment when they were done. */
export type ToNaive = { readonly jobs: number } | 'stop'
export type FromNaive = 'ready' | { readonly doneAt: number } | { readonly failed: string }

const tell = (message: FromNaive) => process.send?.(message)

const main = async (): Promise<void> => {
  const engine = await startNaiveEngine(JSON.parse(process.env.BENCH_NAIVE ?? '{}') as NaiveSettings)
  process.on('message', (message: ToNaive) => {
    if (message === 'stop') {
      void engine.stop().then(() => process.exit(0))
      return
    }
    engine.done(message.jobs).then(
      () => tell({ doneAt: wallNow() }),
      (error: unknown) => tell({ failed: String(error) }),
    )
  })
  tell('ready')
}

await main()
