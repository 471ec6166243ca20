import { describe, expect, test } from 'vitest'
import * as paths from '../../../../src/connectors/entra/paths.ts'

const group = '11111111-1111-4111-8111-111111111111'
const member = '22222222-2222-4222-8222-222222222222'

describe('addresses', () => {
  test('a member is taken out by its reference: without $ref the person would be deleted', () => {
    expect(paths.membership(group, member).path).toBe(`/groups/${group}/members/${member}/$ref`)
  })

  test('no address that a DELETE may go to names a member and is no reference', () => {
    const all = [paths.membership(group, member), paths.newMember(group), paths.oneGroup(group), paths.oneUser(member)]
    const members = all.map(({ path }) => path).filter((path) => path.includes('/members/'))
    expect(members).toHaveLength(2)
    for (const path of members) expect(path).toMatch(/\/\$ref$/)
  })

  test.each([
    ["O'Brien", "employeeId in ('O''Brien')"],
    ['R&D #1?', "employeeId in ('R&D #1?')"],
    ['a%2Fb+c', "employeeId in ('a%2Fb+c')"],
    ["') or ('1' eq '1", "employeeId in (''') or (''1'' eq ''1')"],
    ['名前 🦊', "employeeId in ('名前 🦊')"],
  ])('the filter for %j reaches the server as one literal', (value, filter) => {
    const { path } = paths.usersWhere('employeeId', [value], ['id'])
    expect(path).not.toMatch(/[#\s]/)
    const query = new URL(path, 'https://graph.example').searchParams
    expect(query.get('$filter')).toBe(filter)
    expect([...query.keys()].sort()).toEqual(['$filter', '$select', '$top'])
  })

  test('an id that is none cannot leave its segment', () => {
    expect(paths.oneUser('../groups/x?y').path).toBe('/users/..%2Fgroups%2Fx%3Fy')
    expect(paths.membership('a/b', 'c#d').path).toBe('/groups/a%2Fb/members/c%23d/$ref')
    expect(paths.directoryObject('https://graph.example', 'a b')).toBe(
      'https://graph.example/v1.0/directoryObjects/a%20b',
    )
  })

  test('a property within another is addressed as OData does', () => {
    const { path } = paths.usersWhere('onPremisesExtensionAttributes.extensionAttribute3', ['x'], ['id'])
    expect(decodeURIComponent(path)).toContain("onPremisesExtensionAttributes/extensionAttribute3 in ('x')")
  })

  test('costs in resource units are those of the throttling limits', () => {
    expect(paths.membersOf(group).units).toBe(2)
    expect(paths.usersWhere('id', [member], ['id']).units).toBe(1)
    expect(paths.memberOf(member).units).toBe(1)
    expect(paths.membership(group, member).units).toBe(1)
  })
})
