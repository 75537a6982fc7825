import type { EngramContract, ServiceHandlers } from '../../shared/contracts/index.ts';
import type { ServiceContext } from './context.ts';

/** Implements `jobs`: the drawer at the bottom. */
export function createJobsService({ session }: ServiceContext): ServiceHandlers<EngramContract['jobs']> {
  const queue = () => session.require().queue;
  return {
    list: () => session.current()?.queue.list() ?? [],
    pause: async ({ id }) => {
      await queue().pause(id);
      return {};
    },
    resume: ({ id }) => {
      queue().resume(id);
      return {};
    },
    stop: async ({ id }) => {
      await queue().stop(id);
      return {};
    },
    log: ({ id }) => queue().log(id),
  };
}
