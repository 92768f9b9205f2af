import ForeignText
import Koji

// Suggestions for a name that a hub does not know.
extension KojiHub {
    /// Returns the error for a tag that does not exist, with the nearest names that do.
    /// - Parameter event: The event as of which the tag was requested. `nil` stands for now.
    func noTag(_ name: String, at event: Int?) async -> KojiError {
        if let event { return KojiError(.argument, "At the event \(event), Koji had no tag called \(name).") }
        let nearest = await nearest(to: name, in: "\(Self.opening(of: name))*") { (glob) throws(KojiError) in try await searchTags(glob) }
        return KojiError(
            .argument,
            "Koji has no tag called \(name)\(nearest.map { "; \($0)" } ?? ""). One that was deleted can be had as of an event (koji_event) at which it was there."
        )
    }

    /// Returns "nearest: " and up to three of the nearest names in Koji, or `nil` if the search finds no
    /// name.
    func nearest(to name: String, in glob: String, _ search: (String) async throws(KojiError) -> [KojiNamed]) async -> String? {
        // The explanation is complete without these names, so errors of the hub do not matter here.
        guard let found = try? await search(glob), !found.isEmpty else { return nil }
        return "nearest: \(NearestNames(names: found.map(\.name)).sorted(by: name).prefix(3).joined(separator: ", "))"
    }

    /// Returns the first half of a name, but at least two characters. Mistakes in that part are rare.
    private static func opening(of name: String) -> Substring { name.prefix(max(2, name.count / 2)) }
}
