/** Does `work` while no other tab of this app does any of the same name. Without Web Locks there is only this tab. */
export const alone = (name, work) => (navigator.locks ? navigator.locks.request(`avicenna.${name}`, work) : work());
