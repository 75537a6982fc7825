export const curate = { title: 'curate' };
