/** Returns the document of an app for development. In production, the server writes it (`api/src/pages/`). */
export function shell(app) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portico</title>
<link rel="icon" href="/public/favicon.svg">
<link rel="stylesheet" href="/kit/styles/entry.css">
<link rel="stylesheet" href="/kit/styles/console.css">
<script type="module" src="/${app}/main.tsx"></script>
</head>
<body><div id="app"></div></body>
</html>`;
}
