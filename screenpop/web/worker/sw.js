/**
 * Keeps the page's own files, so that it starts where the network does not: hashed files and the index, and nothing
 * else. What the REST API says is never kept, and the WebSocket does not come by here.
 *
 * The build writes the names of its files into this one, so each build is another worker: it fetches its files, takes
 * over at once, and leaves those of the build before to pages that are still open with it.
 */
const BUILD = "{{build}}";
const FILES = JSON.parse('{{files}}');

const PREFIX = "callcenter-shell-";
const INDEX = "/";
const HASHED = /^\/assets\/[^/]+$/;
/** How long the network may take for the index before the kept one is shown. */
const PATIENCE_MS = 4_000;
/** This build's and the one before. */
const BUILDS_KEPT = 2;

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
  void self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || pathname.startsWith("/api/")) return;
  if (request.mode === "navigate") event.respondWith(index(request));
  else if (HASHED.test(pathname)) event.respondWith(hashed(request));
  else if (FILES.includes(pathname)) event.respondWith(fetch(request).catch(() => kept(pathname)));
});

/** All files of this build, or none: an install that fails is tried again by the browser. */
async function fill() {
  const cache = await caches.open(PREFIX + BUILD);
  // The index of the same moment as this file, and not one that the browser has.
  await cache.addAll([new Request(INDEX, { cache: "reload" }), ...FILES]);
}

async function takeOver() {
  // In the order in which they were made.
  const builds = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + BUILD);
  const old = builds.slice(0, Math.max(0, builds.length - BUILDS_KEPT + 1));
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The newest page where the network gives it in time, the kept one where it does not, or the service is away. */
async function index(request) {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.status < 500) return response;
    return (await found(INDEX)) ?? response;
  } catch {
    return kept(INDEX);
  }
}

/** A file whose name changes with what is in it: once fetched, it is right for ever. */
async function hashed(request) {
  const known = await caches.match(request);
  if (known) return known;
  const response = await fetch(request);
  if (response.ok) {
    const cache = await caches.open(PREFIX + BUILD);
    await cache.put(request, response.clone());
  }
  return response;
}

const found = async (path) => (await caches.open(PREFIX + BUILD)).match(path);
const kept = async (path) => (await found(path)) ?? Response.error();
