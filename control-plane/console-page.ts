/** Whether a path may be a route of the console: not one of the API's, and no file. */
export function isConsolePath(path: string): boolean {
  return !/^\/(v1|healthz|readyz|openapi\.json)(\/|$)/.test(path) && !/\.[a-z0-9]+$/i.test(path)
}

/** What stands in the console's place while it is not built. */
export const consoleMissingPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Signalbox</title>
<h1>The console is not built yet</h1>
<p>The control plane is running. To get the console, run <code>npm run build</code> in the repository and reload this page.</p>
<p>The API is at <a href="/openapi.json">/openapi.json</a>; <code>npx signalbox --help</code> lists what the command line can do.</p>
</html>
`
