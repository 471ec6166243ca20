/** How the story is told: in colour on a terminal, plain when piped, or as NDJSON. Only what was verified gets a tick. */

export type Facts = Readonly<Record<string, unknown>>

export type Teller = {
  readonly step: (title: string) => void
  /** What is about to happen, or why. */
  readonly say: (text: string) => void
  /** A statement that was checked and holds. */
  readonly verified: (text: string, facts?: Facts) => void
  /** A statement that does not hold. */
  readonly failed: (text: string, why: string) => void
  /** What another program printed, or a table. */
  readonly show: (name: string, lines: readonly string[], facts: unknown) => void
  readonly progress: (text: string, done: number, total: number) => void
  readonly end: (ok: boolean, seconds: number) => void
  /** Nothing more is told: the run was interrupted. */
  readonly mute: () => void
  readonly counts: { verified: number; failed: number }
}

const paints = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export const teller = (out: NodeJS.WriteStream, json: boolean): Teller => (json ? machineTeller(out) : humanTeller(out))

const humanTeller = (out: NodeJS.WriteStream): Teller => {
  const tty = out.isTTY === true
  const coloured = tty && !process.env.NO_COLOR
  const paint = (name: keyof typeof paints, text: string) => (coloured ? `\x1b[${paints[name]}m${text}\x1b[0m` : text)
  const counts = { verified: 0, failed: 0 }
  let steps = 0
  let open = false
  let muted = false
  let lastShare = -1
  const line = (text: string) => {
    if (muted) return
    if (open) out.write('\r\x1b[2K')
    open = false
    out.write(`${text}\n`)
  }
  return {
    counts,
    step: (title) => line(`\n${paint('cyan', paint('bold', `${String(++steps).padStart(2)}  ${title}`))}`),
    say: (text) => line(`    ${paint('dim', text)}`),
    verified: (text) => {
      counts.verified++
      line(`  ${paint('green', '✓')} ${text}`)
    },
    failed: (text, why) => {
      counts.failed++
      line(`  ${paint('red', '✗')} ${text}\n    ${paint('red', why.replaceAll('\n', '\n    '))}`)
    },
    show: (_name, lines) => {
      for (const text of lines) line(`    ${paint('dim', '│')} ${text}`)
    },
    progress: (text, done, total) => {
      const share = Math.min(1, total === 0 ? 1 : done / total)
      if (!tty) {
        // One line for each quarter when nobody watches.
        const quarter = Math.floor(share * 4)
        if (quarter > lastShare) line(`    ${text} ${done}/${total}`)
        lastShare = quarter
        return
      }
      if (muted) return
      const width = 32
      const full = Math.round(share * width)
      const bar = `${paint('green', '█'.repeat(full))}${paint('dim', '░'.repeat(width - full))}`
      out.write(`\r\x1b[2K    ${bar} ${done}/${total} ${text}`)
      open = true
    },
    end: (ok, seconds) => {
      const all = `${counts.verified} statements verified in ${seconds.toFixed(1)} s`
      line(ok ? `\n${paint('green', '✓')} ${paint('bold', all)}` : `\n${paint('red', `✗ the story did not hold`)}`)
    },
    mute: () => {
      if (open) out.write('\n')
      muted = true
    },
  }
}

const machineTeller = (out: NodeJS.WriteStream): Teller => {
  const counts = { verified: 0, failed: 0 }
  let steps = 0
  let muted = false
  const tell = (type: string, facts: Facts) => {
    if (!muted) out.write(`${JSON.stringify({ type, step: steps, ...facts })}\n`)
  }
  return {
    counts,
    step: (title) => {
      steps++
      tell('step', { title })
    },
    say: (text) => tell('say', { text }),
    verified: (text, facts = {}) => {
      counts.verified++
      tell('verified', { text, facts })
    },
    failed: (text, why) => {
      counts.failed++
      tell('failed', { text, why })
    },
    show: (name, _lines, facts) => tell('show', { name, facts }),
    progress: (text, done, total) => tell('progress', { text, done, total }),
    end: (ok, seconds) => tell('end', { ok, seconds, ...counts }),
    mute: () => {
      muted = true
    },
  }
}
