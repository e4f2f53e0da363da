import type { Page } from './router.ts'

/** Every file in `pages/` is a page. */
const modules = import.meta.glob<{ page: Page }>('./pages/*.ts', { eager: true })

export const pages: readonly Page[] = Object.values(modules).map((module) => module.page)
