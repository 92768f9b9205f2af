import ComposeModel
import ForeignText
import Foundation

/// A time on a page. Without the script it is shown as it is written here. The script shows how long
/// ago it was.
struct ShownTime: Sendable {
    /// Example: `2026-11-30T19:31:00Z`.
    let iso: String
    /// Example: `2026-11-30 19:31 UTC`.
    let text: String

    init(_ date: Date) { self.init(iso: ComposeDocument.format(date)) }

    /// - Parameter iso: A time as documents have it.
    init(iso: String) {
        self.iso = iso
        text = iso.count == 20 ? "\(iso.prefix(10)) \(iso.dropFirst(11).prefix(5)) UTC" : iso
    }
}

/// A duration, a number or a size in words.
enum ShownNumber {
    /// Returns a duration in its largest unit. Examples: `40 s`, `3 min`, `2 h`, `5 days`.
    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(max(0, seconds)) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// Returns a size of bytes. Example: `4.2 MB`.
    static func size(_ bytes: Int) -> String { bytes.formatted(.byteCount(style: .file, spellsOutZero: false)) }

    /// Returns a number with its noun. Example: `1 package`, `3 packages`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : noun.hasSuffix("ch") ? "es" : "s")"
    }
}

extension StringProtocol {
    /// The text for a page, cut after `most` code points.
    func shown(_ most: Int = 200) -> String { printable(most: most) }
}

/// A compose's or a build's state in a word that a person understands.
struct ShownState: Sendable {
    /// The name in the API, which is also the class of the style.
    let name: String
    let word: String

    /// - Parameter name: The state of a compose, a build or a rebuild. Example: `generating`.
    init(_ name: String) {
        self.name = name
        word =
            switch name {
            case "wait": "waiting"
            case "generating": "in progress"
            case "building": "building"
            case "done": "ready"
            default: name
            }
    }
}

/// A name with its value, as a row of a list of facts.
struct Fact: Sendable {
    let name: String
    let value: String
    /// Where the value leads to. `nil` if it leads nowhere.
    var link: String?
    var time: ShownTime?

    init(_ name: String, _ value: String, link: String? = nil) {
        self.name = name
        self.value = value
        self.link = link
    }

    /// Creates the fact of a time.
    init(_ name: String, _ time: ShownTime) {
        self.name = name
        value = ""
        self.time = time
    }
}

/// The links to the other pages of a list.
struct Pager: Sendable {
    let summary: String
    var previous: String?
    var next: String?

    /// - Parameters:
    ///   - path: The path of the list with its prefix.
    ///   - asked: The query's keys and values. The links keep them.
    init(page: Int, perPage: Int, total: Int, noun: String, path: String, asked: [(key: String, value: String)]) {
        let pages = Swift.max(1, (total + perPage - 1) / perPage)
        func link(_ number: Int) -> String {
            let items = asked.filter { $0.key != "page" && !$0.value.isEmpty } + [("page", "\(number)")]
            return path + "?" + items.map { "\($0.key.percentEncoded)=\($0.value.percentEncoded)" }.joined(separator: "&")
        }
        summary = pages > 1 ? "\(ShownNumber.count(total, noun)), page \(page) of \(pages)" : ShownNumber.count(total, noun)
        previous = page > 1 ? link(Swift.min(page - 1, pages)) : nil
        next = page < pages ? link(page + 1) : nil
    }
}
