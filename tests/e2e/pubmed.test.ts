import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eutilsServer, heldArticles } from '../support/eutils.ts';
import { Workbench } from './workbench.ts';

/** A search of PubMed by clicking, against a server that speaks its protocol, and what Curate makes of it. */
describe('a PubMed search, clicked through', () => {
  it('asks, shows, fetches, says what is missing; then facets, checks and statistics', async () => {
    const articles = heldArticles(230).map((a) => (a.pmid === 17 ? { ...a, gone: true } : a));
    const server = await eutilsServer(articles);
    vi.stubEnv('ENGRAM_PUBMED_URL', server.url);
    const workbench = await Workbench.start();
    onTestFinished(async () => {
      await workbench.stop();
      vi.unstubAllEnvs();
    });
    const { page } = workbench;
    page.setDefaultTimeout(30_000);
    await page.getByRole('button', { name: 'New study' }).first().click();
    await page.getByRole('dialog').getByRole('textbox').first().fill('Searched');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Create/ })
      .click();
    await workbench.open('Library');

    // Without an address nothing can be asked, and nothing was sent so far.
    await page.getByRole('textbox', { name: 'Search PubMed' }).fill('epilepsy AND "sharp waves"');
    const search = page.getByRole('button', { name: 'Search', exact: true });
    expect(await search.isDisabled()).toBe(true);
    expect(server.asked).toHaveLength(0);
    await page.getByRole('textbox', { name: 'Your e-mail' }).fill('someone@example.org');
    await search.click();
    await page.getByText('articles match').waitFor();
    await page.getByText('"epilepsy AND "sharp waves""[All Fields]').waitFor();
    expect(server.asked).toHaveLength(1);
    await workbench.shots('library-pubmed');
    expect(await workbench.accessibilityFaults()).toEqual([]);

    await page.getByRole('button', { name: 'Fetch 230 articles' }).click();
    await page.getByText('230 matched, 230 listed, 229 fetched.').waitFor();
    await page.getByText('1 article listed by PubMed did not come.').waitFor();
    await workbench.shots('library-fetched');
    expect(await workbench.accessibilityFaults()).toEqual([]);

    // A server that is out of order is a sentence with a next step.
    server.always = (response) => {
      response.writeHead(200).end('<!DOCTYPE html><html><title>Error</title></html>');
      return true;
    };
    await search.click();
    await page.getByText('PubMed answered with a web page instead of a list.').waitFor();
    server.always = null;

    await page.goto(page.url().replace(/#.*$/, '#/settings/pubmed'));
    await page.getByText('There is no keychain here').waitFor();
    await workbench.shot('settings-pubmed');
    expect(await workbench.accessibilityFaults()).toEqual([]);

    await workbench.open('Curate');
    await page.getByText('229 of 229').waitFor();
    await page.getByRole('button', { name: 'Journal' }).click();
    await page.getByText('Made-up Letters').first().waitFor();
    await page.getByRole('button', { name: 'Term statistics' }).click();
    await page.getByText('Together in one article').waitFor();
    await workbench.shot('terms');
    expect(await workbench.accessibilityFaults()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('checkbox', { name: 'Check all records shown' }).click();
    await page.getByRole('button', { name: 'Select all 229' }).click();
    await page.getByText('All 229 found are selected').waitFor();
    await page.getByRole('toolbar').getByRole('button', { name: /Maybe/ }).click();
    await page.getByText('229 maybe').waitFor();
    await page.getByRole('button', { name: /^Undo/ }).click();
    await page.getByText('229 to decide').waitFor();
    await workbench.shots('curate-facets');

    await page.getByRole('button', { name: 'Freeze version 1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Length in tokens').waitFor();
    await dialog.getByRole('button', { name: 'Check now' }).click();
    await dialog.getByText(/nearly repeated in training|No text to train on repeats/).waitFor();
    await workbench.shot('freeze-checks');
    expect(await workbench.accessibilityFaults()).toEqual([]);
    await dialog.getByRole('button', { name: 'Freeze', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    // The browser itself notes nothing but what the test provoked.
    expect(workbench.complaints).toEqual([]);
  }, 180_000);
});
