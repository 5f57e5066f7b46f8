// What the page does in the browser. It belongs to the sources panel: `element`, `props`, `trigger` and `watch` are
// gradio's. Links that begin with #src open a place; buttons are answered by their name, by mouse or by keyboard.
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const panel = element.closest('#sources');
const wide = matchMedia('(min-width: 860px)');
let opening = false;
let cited = null;

const show = () => {
  const place = element.querySelector('.place');
  const target = place ?? element.querySelector('h2');
  const below = place ? place.getBoundingClientRect().top - panel.getBoundingClientRect().top : -panel.scrollTop;
  panel.scrollTop += below - (place ? panel.clientHeight / 3 : 0);
  if (!opening) return;
  opening = false;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: place ? 'center' : 'nearest', behavior: calm ? 'auto' : 'smooth' });
};
watch('value', () => requestAnimationFrame(show));

const open = (name) => {
  opening = true;
  if (element.querySelector('[data-place]')?.dataset.place === name) show();
  else trigger('open_place', { name });
};

const back = () => {
  const link = cited?.isConnected ? cited : [...document.querySelectorAll('#chat a[href^="#src"]')].at(-1);
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
};

const copy = async (button) => {
  try {
    await navigator.clipboard.writeText(button.value);
  } catch {
    // Without a secure context there is no clipboard but this one.
    const area = Object.assign(document.createElement('textarea'), { value: button.value });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
    button.focus();
  }
  const said = button.textContent;
  button.textContent = document.querySelector('#header [data-copied]').dataset.copied;
  setTimeout(() => { button.textContent = said; }, 1500);
};

const busy = () => document.querySelector('#stop') !== null;
const answers = {
  ask: (button) => { if (!busy()) trigger('ask_this', { question: button.value }); },
  retry: () => { if (!busy()) trigger('ask_this', { again: true }); },
  copy,
  right: (button) => trigger('judge', { turn: button.value, verdict: 'right' }),
  wrong: (button) => trigger('judge', { turn: button.value, verdict: 'wrong' }),
  why: (button) => {
    const [turn, why] = button.value.split(' ');
    trigger('judge', { turn, verdict: 'wrong', why });
  },
  comment: (button) => {
    const why = button.parentElement.querySelector('input').value;
    trigger('judge', { turn: button.value, why });
  },
  remove: (button) => trigger('remove_file', { name: button.value }),
  export: (button) => {
    button.closest('details').open = false;
    trigger('export_chat', { form: button.value });
  },
  clear: () => trigger('clear_chat', {}),
};

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  const button = event.target.closest?.('button[name]');
  if (link) {
    event.preventDefault();
    if (link.classList.contains('back')) back();
    else if (link.hash.startsWith('#src')) {
      if (link.closest('#chat')) cited = link;
      open(link.hash.slice(1));
    }
  } else if (button && button.name in answers) answers[button.name](button);
  for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && panel.contains(event.target)) back();
  if (event.key === 'Enter' && event.target.matches?.('.why input')) {
    event.preventDefault();
    event.target.closest('.why').querySelector('button[name=comment]').click();
  }
});

// A reader's own files: read here and sent with the event, so that the server stores none that it has not looked at.
const read = (file) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
  reader.onerror = () => resolve('');
  reader.readAsDataURL(file);
});
document.addEventListener('change', async (event) => {
  const input = event.target.closest?.('#own input[type=file]');
  if (!input || !input.files.length) return;
  const { most, bytes } = input.dataset;
  const chosen = [...input.files];
  input.disabled = true;
  const files = [];
  for (const { name, size } of chosen) files.push({ name, size, data: '' });
  if (chosen.length <= Number(most) && chosen.every((file) => file.size <= Number(bytes))) {
    for (const [number, file] of chosen.entries()) files[number].data = await read(file);
  }
  trigger('add_files', { files });
});

let replies = 0;
const tidy = () => {
  const said = document.querySelector('#header [lang]');
  if (said && document.documentElement.lang !== said.lang) document.documentElement.lang = said.lang;
  // Gradio labels each message with its markup; the message itself is what should be read out.
  const labelled = document.querySelectorAll('#chat [aria-label*="message: <"]');
  for (const message of labelled) message.removeAttribute('aria-label');
  // Gradio speaks no Italian, and calls the conversation a chatbot's.
  const log = document.querySelector('#chat [role=log]');
  const name = said?.dataset.conversation;
  if (log && name && log.getAttribute('aria-label') !== name) log.setAttribute('aria-label', name);
  // A new answer is read from its question on, not from its end.
  const now = document.querySelectorAll('#chat .bot-row:not(:has(.working))').length;
  if (now > replies) [...document.querySelectorAll('#chat .user-row')].at(-1)?.scrollIntoView({ block: 'start' });
  replies = now;
};
new MutationObserver(tidy).observe(document.body, { childList: true, subtree: true });
tidy();
