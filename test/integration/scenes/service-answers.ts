import type { Run } from './processes.ts'
import { until } from './until.ts'

/** What a long-running command answers over HTTP, asked at the address it told. */
export class ServiceAnswers {
  readonly url: string

  private constructor(url: string) {
    this.url = url
  }

  static async of(run: Run): Promise<ServiceAnswers> {
    const address = () => run.stderr().match(/HTTP at (http:\/\/127\.0\.0\.1:\d+)/)?.[1]
    const url = await until('a service that tells its address', address, (found) => found !== undefined)
    return new ServiceAnswers(url ?? '')
  }

  async get(path: string): Promise<{ status: number; type: string | null; text: string }> {
    const answer = await fetch(this.url + path)
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }

  /** Of one series of /metrics. */
  async metric(series: string): Promise<number | undefined> {
    const { text } = await this.get('/metrics')
    const line = text.split('\n').find((found) => found.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  }

  async untilReady(isReady: boolean): Promise<string> {
    const found = await until(
      isReady ? 'ready' : 'not ready',
      () => this.get('/readyz'),
      ({ status }) => status === (isReady ? 200 : 503),
    )
    return found.text
  }
}
