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

test('a circle ends, and an own group is never a nested one', () => {
  expect([...nestedGroups(['a', 'c'], parents({ a: ['b'], b: ['c'], c: ['a', 'c'] })).keys()]).toEqual(['b'])
})

test('the ways are real, shortest, and lead to all that can be reached, in any graph', () => {
  const group = fc.integer({ min: 0, max: 9 }).map(String)
  const graph = fc.dictionary(group, fc.uniqueArray(group, { maxLength: 3 }), { maxKeys: 10 })
  fc.assert(
    fc.property(graph, fc.uniqueArray(group, { maxLength: 3 }), (edges, direct) => {
      const found = nestedGroups(direct, parents(edges))
      // Reached by steps, the plain way.
      const steps = new Map(direct.map((one) => [one, 1]))
      for (let round = 0; round < 10; round += 1)
        for (const [one, length] of [...steps])
          for (const next of edges[one] ?? []) steps.set(next, Math.min(steps.get(next) ?? 99, length + 1))
      expect([...found.keys()].sort()).toEqual([...steps.keys()].filter((one) => !direct.includes(one)).sort())
      for (const [one, way] of found) {
        expect(way).toHaveLength(steps.get(one) ?? 0)
        expect(direct).toContain(way[0])
        for (const [at, from] of way.slice(0, -1).entries()) expect(edges[from]).toContain(way[at + 1])
      }
    }),
  )
})
