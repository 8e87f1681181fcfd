//! A QR code as a PNG data URL (ISO/IEC 18004, error correction level M, quiet zone of four modules).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder};
use qrcode::{Color, EcLevel, QrCode};

/// Pixels of one module.
const SCALE: usize = 4;
/// Modules of white on each side.
const QUIET: usize = 4;

/// The code of a text; `None` if the text does not fit into one.
pub fn qr_data_url(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let pixels = (width + 2 * QUIET) * SCALE;
    let row_length = pixels.div_ceil(8);
    let white_row = vec![0xff; row_length];
    let mut image = Vec::with_capacity(row_length * pixels);
    let margin = |image: &mut Vec<u8>| (0..QUIET * SCALE).for_each(|_| image.extend_from_slice(&white_row));
    margin(&mut image);
    for modules in code.to_colors().chunks(width) {
        let mut row = white_row.clone();
        for (place, _) in modules.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            for pixel in (place + QUIET) * SCALE..(place + QUIET + 1) * SCALE {
                if let Some(byte) = row.get_mut(pixel / 8) {
                    *byte &= !(0x80 >> (pixel % 8));
                }
            }
        }
        (0..SCALE).for_each(|_| image.extend_from_slice(&row));
    }
    margin(&mut image);
    let png = encode(&image, u32::try_from(pixels).ok()?).ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

fn encode(image: &[u8], pixels: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut png = Vec::with_capacity(1024);
    let mut encoder = Encoder::new(&mut png, pixels, pixels);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(image)?;
    writer.finish()?;
    Ok(png)
}
