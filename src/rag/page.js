// Opens the place behind a citation in the sources panel, by mouse or by keyboard (Enter on a link is a click).
const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
const panel = element.closest('#sources');
watch('value', () => {
  const place = element.querySelector('.place');
  const below = place ? place.getBoundingClientRect().top - panel.getBoundingClientRect().top : -panel.scrollTop;
  panel.scrollTop += below - (place ? panel.clientHeight / 3 : 0);
});
document.addEventListener('click', async (event) => {
  const link = event.target.closest?.('a[href^="#src"]');
  if (!link) return;
  event.preventDefault();
  const html = await server.open_source(link.getAttribute('href').slice(1));
  if (typeof html !== 'string') return;
  props.value = html;
  requestAnimationFrame(() => {
    const place = element.querySelector('.place');
    const target = place ?? element.querySelector('h2');
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: place ? 'center' : 'nearest', behavior });
  });
});
let replies = 0;
new MutationObserver(() => {
  // Gradio labels each message with its markup; the message itself is what should be read out.
  const labelled = document.querySelectorAll('#chat [aria-label*="message: <"]');
  for (const message of labelled) message.removeAttribute('aria-label');
  // A new answer is read from its question on, not from its end.
  const now = document.querySelectorAll('#chat .bot-row').length;
  if (now > replies) [...document.querySelectorAll('#chat .user-row')].at(-1)?.scrollIntoView({ block: 'start' });
  replies = now;
}).observe(document.body, { childList: true, subtree: true });
