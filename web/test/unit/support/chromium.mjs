import { chromium } from 'playwright-core';

/** Starts Chromium. `CHROMIUM_BIN` names another one than Debian's. */
export const startChromium = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
