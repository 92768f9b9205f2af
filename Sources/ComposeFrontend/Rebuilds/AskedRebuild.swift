import ForeignText
import Foundation
import ImageModel

/// An *asked rebuild* has the values of a request for a rebuild.
struct AskedRebuild: Sendable {
    /// The place of the newer packages.
    enum Fix: Sendable {
        case compose(Int)
        /// Builds of Koji, of which a compose is made first.
        case builds([String])
    }

    private static let members = RebuildSubmission.CodingKeys.allCases.map(\.rawValue)
    /// The most entries of a list, and the most characters of an entry.
    private static let (mostEntries, mostCharacters) = (200, 300)

    let fix: Fix
    let reason: RebuildReason
    let selection: RebuildSelection
    let priority: Int
    let dateTag: ImageTag
    /// Whether only the plan is asked for.
    let isDryRun: Bool

    init(_ json: JSONValue?, by grant: Grant, on day: Date = Date()) throws(RequestRejection) {
        let body = try BodyField(root: json ?? .object([:]))
        try body.checkMembers(Self.members)
        isDryRun = try body.boolean("dry_run") ?? false
        fix = try Self.fix(body, isDryRun: isDryRun)
        let advisory = try body.string("advisory")
        if let advisory { try Self.check(advisory, "advisory") }
        reason = RebuildReason(advisory: advisory, cves: try Self.texts("cves", of: body))
        selection = RebuildSelection(
            images: try Self.texts("images", of: body), excluding: try Self.texts("exclude", of: body),
            packages: try Self.texts("packages", of: body), includesUnknown: try body.boolean("unknown") ?? false)
        priority = try body.buildPriority(for: grant)
        dateTag = try body.dateTag(on: day)
    }

    private static func fix(_ body: BodyField, isDryRun: Bool) throws(RequestRejection) -> Fix {
        switch (try body.integer("compose"), try body.strings("builds")) {
        case (let compose?, nil): return .compose(compose)
        case (nil, let builds?):
            guard !builds.isEmpty else { throw .badRequest("builds is empty. It must have builds of Koji, each as NAME-VERSION-RELEASE.") }
            guard !isDryRun else {
                throw .badRequest(
                    "dry_run needs a compose that is done. Ask for a compose of the builds first, and then for the plan with its number.")
            }
            try body.member("builds")?.checkCharacters()
            return .builds(builds)
        case (nil, nil):
            throw .badRequest(
                "compose is missing. It is the number of the compose that has the newer packages. Or name builds of Koji as builds.")
        case (.some, .some):
            throw .badRequest("compose and builds are both there. A rebuild is for one compose, or for builds that get a compose.")
        }
    }

    /// Returns a list of short texts, which is empty if it is absent.
    static func texts(_ key: String, of body: BodyField) throws(RequestRejection) -> [String] {
        let texts = try body.strings(key) ?? []
        guard texts.count <= mostEntries else {
            throw .badRequest("\(key) has \(texts.count) entries. \(mostEntries) are possible.")
        }
        for (index, text) in texts.enumerated() { try check(text, "\(key)[\(index)]") }
        return texts
    }

    private static func check(_ text: String, _ name: String) throws(RequestRejection) {
        guard (1...mostCharacters).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .badRequest("\(name) cannot be \(text.quoted). It must have 1 to \(mostCharacters) printable ASCII characters.")
        }
    }
}
