import { openBrowser, startPages, without } from './browsers.js';

/** Why a browser's tests are left out; false where they run. */
export const withoutChromium = without('chromium');

/** A browser, and a page that can import the package's files from `/`. */
export async function openChromium() {
  const pages = await startPages();
  const browser = await openBrowser('chromium');
  const page = await browser.newPage();
  await page.goto(pages.url);
  return {
    page,
    async close() {
      await browser.close();
      pages.close();
    },
  };
}
