import { type Role, roles } from '@signalbox/sdk/contract'

/** Who has this value in their role claim gets this role on the node of this path. */
export interface RoleRule {
  /** `*`: everybody who signs in. */
  readonly value: string
  readonly role: Role
  readonly path: string
}

/**
 * Reads `platform-admins=admin; search=developer@teams/search; *=viewer`: a value of the claim, the role, and the path
 * of the node, the organisation where none stands.
 * @throws Error that names the rule that is wrong.
 */
export function parseRoleMapping(text: string): readonly RoleRule[] {
  return text
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((rule) => {
      const parts = /^(.+?)\s*=\s*([a-z]+)(?:@(\S+))?$/.exec(rule)
      const role = roles.find((each) => each === parts?.[2])
      if (parts?.[1] === undefined || role === undefined) {
        throw new Error(
          `"${rule}" is not "value=role" or "value=role@node" with a role of ${roles.join(', ')}`,
        )
      }
      return { value: parts[1].trim(), role, path: parts[3] ?? '' }
    })
}

/** The roles that somebody with these values has. */
export function rolesFor(groups: readonly string[], mapping: readonly RoleRule[]): readonly RoleRule[] {
  return mapping.filter(({ value }) => value === '*' || groups.includes(value))
}
