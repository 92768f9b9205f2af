import ComposeModel
import Foundation

/// A Pungi wrapper is the operator's own Pungi configuration. It imports the requested configuration
/// (`from raw_config import *`) and overrides parts of it.
///
/// `{{ compose.NAME }}` stands for a member of the compose, as the HTTP interface names it. The words
/// of a list are separated by one space. Statements of a template language (`{% … %}`) are refused.
/// Quotation marks, backslashes and line breaks of a member are never inserted.
struct PungiWrapper {
    let text: String

    /// Returns the text with the members in their places. Throws `.internal` with the reason, so that the
    /// operator can correct the wrapper.
    func filled(with members: [String: String]) throws(ComposeFailure) -> String {
        guard !text.contains("{%") else {
            throw Self.unusable("it has a statement of a template language ({% … %}), of which only {{ compose.NAME }} is understood here")
        }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "{{") {
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
                throw Self.unusable("a {{ in it has no }}")
            }
            let expression = rest[start.upperBound..<end.lowerBound].trimmingCharacters(in: .whitespaces)
            guard expression.hasPrefix("compose."), let value = members[String(expression.dropFirst("compose.".count))] else {
                throw Self.unusable(
                    "{{ \(expression.prefix(100)) }} in it is none of compose.\(members.keys.sorted().joined(separator: ", compose."))")
            }
            result += rest[..<start.lowerBound]
            result += value.filter { !"\"'\\".contains($0) && !$0.isNewline }
            rest = rest[end.upperBound...]
        }
        return result + rest
    }

    static func unusable(_ why: String) -> ComposeFailure {
        ComposeFailure(.internal, "The wrapper of this Pungi configuration cannot be used: \(why). The operator of this service can help.")
    }
}
