/** npm run demo: the main job, from nothing, told in the terminal. Exit 0 only if every statement of it was verified. */
import { cleanup } from './demo/cleanup.ts'
import { NotSo } from './demo/eventually.ts'
import type { EverywhereWorld } from './demo/everywhere/world.ts'
import { parseOptions, usage } from './demo/options.ts'
import { tellStory } from './demo/story.ts'
import { teller } from './demo/teller.ts'
import { openWorld, type World } from './demo/world.ts'
import { StackError } from './stack/part.ts'
import { progressLines } from './stack/progress.ts'

const startedAt = Date.now()
const words = process.argv.slice(2)
if (words.includes('--help') || words.includes('-h')) {
  process.stdout.write(usage)
  process.exit(0)
}
const options = parseOptions(words)
if (typeof options === 'string') {
  process.stderr.write(`${options}\n${usage}`)
  process.exit(2)
}
const tell = teller(process.stdout, options.json)
const ending = cleanup()

let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    const code = signal === 'SIGINT' ? 130 : 143
    if (interrupted) process.exit(code)
    interrupted = true
    tell.mute()
    process.stderr.write('interrupted: ending what was started …\n')
    void ending.run().finally(() => process.exit(code))
  })

let ok = false
try {
  const world = await openWorld(options, options.json ? () => {} : progressLines(process.stderr), ending)
  const { everywhere } = await Promise.race([tellStory(world, tell, options, startedAt, ending), world.engine.died])
  ok = true
  tell.end(ok, (Date.now() - startedAt) / 1000)
  if (options.keep) {
    ending.forget('engine')
    ending.forget('stack')
    ending.forget('everywhere engine')
    for (const { target, stack } of await world.waitForPlaces()) {
      ending.forget(target)
      stack?.keep()
    }
    world.engine.keep()
    everywhere.engine.keep()
    world.stack.keep({ engine: world.engine.mark, everywhere: everywhere.engine.mark })
    tell.show('keep', lookAround(world, everywhere, options.dir), { envFile: world.envFile })
  }
} catch (error) {
  if (!interrupted) {
    if (error instanceof StackError) process.stderr.write(`${error.message}\n`)
    else {
      if (!(error instanceof NotSo)) process.stderr.write(`${(error as Error).stack ?? error}\n`)
      else if (tell.counts.failed === 0) process.stderr.write(`${error.message}\n`)
      process.stderr.write(`the logs of this run are in ${options.dir}: engine.log, and one directory for each part\n`)
    }
    tell.end(false, (Date.now() - startedAt) / 1000)
  }
}
if (!interrupted) {
  await ending.run()
  process.exit(ok ? 0 : 1)
}

function lookAround({ envFile, directory }: World, everywhere: EverywhereWorld, dir: string): readonly string[] {
  const { witnesses } = everywhere
  return [
    'Everything is still running. To look around:',
    `  . ${envFile}`,
    '  npx muster show identity P-1001    # all that is known of Amit',
    '  npx muster hold list               # what waits for a human',
    '  npx muster publish examples/bank/events/07-nora-joins.json    # tell it something as HR',
    `  ${directory.scripts.search} '(member=uid=meera.s,ou=people,dc=bank,dc=example)' cn    # OpenLDAP, as its administrator`,
    `  ${directory.scripts.modify} < CHANGES.ldif    # what somebody does behind Muster; examples/bank/README.md says what is in it`,
    '  any SQL client with "$MUSTER_AUDITOR_DATABASE_URL": docs/auditors.md has the views',
    `  . ${everywhere.envFile}; npx muster doctor    # from here on the engine of the last chapters and its targets`,
    ...witnesses.map(({ target, label }) => `  npx muster account list ${target}    # asks ${label} now`),
    '  npx muster why P-1001 Aws_LoanDesk; npx muster show identity P-1001    # Amit there',
    `  ${dir}/engine.log, ${dir}/everywhere.log`,
    'To end it: npm run stack -- down',
  ]
}
