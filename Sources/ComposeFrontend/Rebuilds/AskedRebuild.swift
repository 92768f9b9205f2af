import ForeignText
import Foundation
import ImageModel

/// An *asked rebuild* has the values of a request for a rebuild.
struct AskedRebuild: Sendable {
    private static let members = RebuildSubmission.CodingKeys.allCases.map(\.rawValue).filter { $0 != "builds" }
    /// The most entries of a list, and the most characters of an entry.
    private static let (mostEntries, mostCharacters) = (200, 300)

    let compose: Int
    let reason: RebuildReason
    let selection: RebuildSelection
    let priority: Int
    let dateTag: ImageTag
    /// Whether only the plan is asked for.
    let isDryRun: Bool

    init(_ json: JSONValue?, by principal: Principal, on day: Date = Date()) throws(RequestRejection) {
        let body = try BodyField(root: json ?? .object([:]))
        try body.checkMembers(Self.members)
        guard let compose = try body.integer("compose") else {
            throw .badRequest("compose is missing. It is the number of the compose that has the newer packages.")
        }
        self.compose = compose
        let advisory = try body.string("advisory")
        if let advisory { try Self.check(advisory, "advisory") }
        reason = RebuildReason(advisory: advisory, cves: try Self.texts("cves", of: body))
        selection = RebuildSelection(
            images: try Self.texts("images", of: body), excluding: try Self.texts("exclude", of: body),
            packages: try Self.texts("packages", of: body), includesUnknown: try body.boolean("unknown") ?? false)
        priority = try body.buildPriority(for: principal)
        dateTag = try body.dateTag(on: day)
        isDryRun = try body.boolean("dry_run") ?? false
    }

    private static func texts(_ key: String, of body: BodyField) throws(RequestRejection) -> [String] {
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
