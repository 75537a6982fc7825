import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import { Resvg } from '@resvg/resvg-js';
import { InvariantError } from '../../shared/errors/index.ts';

const MM_PER_INCH = 25.4;
const PNG_SIGNATURE_BYTES = 8;

/** Inter in the weights that figures use; the file names are the package's. */
const FONT_FILES = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'] as const;

/** Rasterises an SVG to `widthMm` at `dpi`, the resolution noted in the file. Text is set in Inter. */
export function renderPng(svg: string, widthMm: number, dpi: number): Uint8Array {
  const require = createRequire(import.meta.url);
  const image = new Resvg(svg, {
    fitTo: { mode: 'width', value: Math.round((widthMm / MM_PER_INCH) * dpi) },
    font: {
      fontFiles: FONT_FILES.map((file) => require.resolve(`@expo-google-fonts/inter/${file}`)),
      defaultFontFamily: 'Inter',
      sansSerifFamily: 'Inter',
      loadSystemFonts: true,
    },
  });
  return withResolution(image.render().asPng(), dpi);
}

/** Puts a pHYs chunk (pixels per metre) behind the header of a PNG; an existing one is replaced. */
function withResolution(png: Uint8Array, dpi: number): Uint8Array {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const out: Buffer[] = [bytes.subarray(0, PNG_SIGNATURE_BYTES)];
  for (let at = PNG_SIGNATURE_BYTES; at < bytes.length;) {
    const end = at + 12 + bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (end > bytes.length) throw new InvariantError(`A PNG chunk ${type} runs past the end of the image.`);
    if (type !== 'pHYs') out.push(bytes.subarray(at, end));
    if (type === 'IHDR') out.push(resolutionChunk(dpi));
    at = end;
  }
  return new Uint8Array(Buffer.concat(out));
}

function resolutionChunk(dpi: number): Buffer {
  const perMetre = Math.round((dpi * 1000) / MM_PER_INCH);
  const body = Buffer.alloc(13);
  body.write('pHYs', 0, 'latin1');
  body.writeUInt32BE(perMetre, 4);
  body.writeUInt32BE(perMetre, 8);
  body.writeUInt8(1, 12); // unit: metre
  const chunk = Buffer.alloc(21);
  chunk.writeUInt32BE(9, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 17);
  return chunk;
}
