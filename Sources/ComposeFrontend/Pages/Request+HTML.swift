import Foundation
import Hummingbird

extension Request {
    /// Whether the client is a browser. Browsers list text/html first in `Accept`. Programs list JSON,
    /// anything, or nothing.
    var prefersHTML: Bool {
        headers[.accept]?.split(separator: ",").first?.split(separator: ";").first?
            .trimmingCharacters(in: .whitespaces).lowercased() == "text/html"
    }
}
