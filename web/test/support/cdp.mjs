// What only the protocol of Chromium's developer tools can do.

/** A slow phone: a processor four times slower, 1.6 Mbit/s and 150 ms. */
export async function slowDown(page, { network = true } = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  if (!network) return;
  const bytesPerSecond = 1.6e6 / 8;
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: bytesPerSecond,
    uploadThroughput: bytesPerSecond,
  });
}
