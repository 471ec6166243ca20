import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nestedGroups } from '../../../../src/connectors/ad/nested.ts'

const parents = (edges: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(edges))

test('the way leads from the own group to the one held by nesting', () => {
  const found = nestedGroups(['a'], parents({ a: ['b'], b: ['c', 'd'], d: ['e'] }))
  expect(Object.fromEntries(found)).toEqual({
    b: ['a', 'b'],
    c: ['a', 'b', 'c'],
    d: ['a', 'b', 'd'],
    e: ['a', 'b', 'd', 'e'],
  })
})

test('a circle ends, and no group is nested by itself', () => {
  expect([...nestedGroups(['a'], parents({ a: ['b'], b: ['c'], c: ['a', 'c'] })).keys()]).toEqual(['b', 'c'])
})

test('an own group to which another one leads is held that way, too', () => {
  const found = nestedGroups(['a', 'c'], parents({ a: ['b'], b: ['c'] }))
  expect(Object.fromEntries(found)).toEqual({ b: ['a', 'b'], c: ['a', 'b', 'c'] })
})

test('the ways are real, shortest, and lead to all that can be reached, in any graph', () => {
  const group = fc.integer({ min: 0, max: 9 }).map(String)
  const graph = fc.dictionary(group, fc.uniqueArray(group, { maxLength: 3 }), { maxKeys: 10 })
  fc.assert(
    fc.property(graph, fc.uniqueArray(group, { maxLength: 3 }), (edges, direct) => {
      const found = nestedGroups(direct, parents(edges))
      // Reached by steps, the plain way, from each of the own groups for itself.
      const least = new Map<string, number>()
      for (const start of direct) {
        const steps = new Map([[start, 1]])
        for (let round = 0; round < 10; round += 1)
          for (const [one, length] of [...steps])
            for (const next of edges[one] ?? []) steps.set(next, Math.min(steps.get(next) ?? 99, length + 1))
        for (const [one, length] of steps) if (one !== start) least.set(one, Math.min(least.get(one) ?? 99, length))
      }
      expect([...found.keys()].sort()).toEqual([...least.keys()].sort())
      for (const [one, way] of found) {
        expect(way).toHaveLength(least.get(one) ?? 0)
        expect(direct).toContain(way[0])
        for (const [at, from] of way.slice(0, -1).entries()) expect(edges[from]).toContain(way[at + 1])
      }
    }),
  )
})
