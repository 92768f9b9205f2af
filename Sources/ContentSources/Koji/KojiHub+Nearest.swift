import ComposeModel
import Koji

// What comes near a name that a hub does not know.
extension KojiHub {
    /// - Parameter event: as of which somebody asked for the tag; `nil` for now.
    func noTag(_ name: String, at event: Int?) async -> KojiError {
        if let event { return KojiError(.argument, "At the event \(event), Koji had no tag called \(name).") }
        let nearest = await nearest(to: name, in: "\(Self.opening(of: name))*") { (glob) throws(KojiError) in try await searchTags(glob) }
        return KojiError(
            .argument,
            "Koji has no tag called \(name)\(nearest.map { "; \($0)" } ?? ""). One that was deleted can be had as of an event (koji_event) at which it was there."
        )
    }

    /// "nearest: " and the names in Koji that come nearest; `nil` where there are none.
    func nearest(to name: String, in glob: String, _ search: (String) async throws(KojiError) -> [KojiNamed]) async -> String? {
        // An explanation is complete without them: what the hub says to this question does not matter.
        guard let found = try? await search(glob), !found.isEmpty else { return nil }
        return "nearest: \(NearestNames(names: found.map(\.name)).sorted(by: name).prefix(3).joined(separator: ", "))"
    }

    /// The part of a name in which nobody makes a mistake.
    private static func opening(of name: String) -> Substring { name.prefix(max(2, name.count / 2)) }
}
