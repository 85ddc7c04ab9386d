// A ranking by a sorted set.
import { createClient } from 'redis'

export class Leaderboard {
  constructor (private readonly client: ReturnType<typeof createClient>,
    private readonly key = 'board') {}

  async add (scores: { player: string; score: number }[]) {
    return this.client.zAdd(this.key, scores.map(({ player, score }) => ({ value: player, score })),
      { GT: true })
  }

  async top (count: number) {
    const entries = await this.client.zRangeWithScores(this.key, 0, count - 1, { REV: true })
    return entries.map(({ value, score }, i) => ({ rank: i + 1, player: value, score }))
  }

  async around (player: string, distance: number): Promise<string[]> {
    const rank = await this.client.zRevRank(this.key, player)
    if (rank === null) return []
    return this.client.zRange(this.key, Math.max(0, rank - distance), rank + distance, { REV: true })
  }

  async between (min: number, max: number) {
    return this.client.zRangeByScore(this.key, min, max, { LIMIT: { offset: 0, count: 10 } })
  }
}
