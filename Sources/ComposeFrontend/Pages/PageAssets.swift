import Crypto
import Foundation
import Hummingbird
import NIOCore

/// The files that all pages load: the style, the script and the icon. The name of each has the hash of
/// its content, so a browser may keep it for ever.
struct PageAssets: Sendable {
    static let all = PageAssets()

    struct Asset: Sendable {
        /// Example: `odcs-3fa85f6457174562.css`.
        let name: String
        let mediaType: String
        let content: [UInt8]

        fileprivate init(_ content: [UInt8], _ ending: String, _ mediaType: String) {
            let hash = SHA256.hash(data: content).prefix(8).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }
            name = "odcs-\(hash.joined()).\(ending)"
            self.mediaType = mediaType
            self.content = content
        }

        var response: Response {
            Response(
                status: .ok,
                headers: [
                    .contentType: mediaType, .cacheControl: "public, max-age=31536000, immutable", .xContentTypeOptions: "nosniff",
                ],
                body: .init(byteBuffer: ByteBuffer(bytes: content)))
        }
    }

    let style = Asset(PackageResources.style_css, "css", "text/css; charset=utf-8")
    let script = Asset(PackageResources.script_js, "js", "text/javascript; charset=utf-8")
    let icon = Asset(PackageResources.icon_svg, "svg", "image/svg+xml")

    /// Returns the file of a name. Returns `nil` for the name of an older version of it.
    func asset(named name: String) -> Asset? { [style, script, icon].first { $0.name == name } }
}
