import { chromium } from 'playwright-core';

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/**
 * Starts Debian's Chromium: the build without windows, which needs about two thirds of the time of the whole browser.
 */
export const startChromium = (args = []) =>
  chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium-headless-shell', args: [...ARGUMENTS, ...args] });
