public import ComposeModel
import Koji

extension KojiSource {
    /// Returns the ways by which a pinned tag inherits from the tags that have its packages. Each way
    /// begins with the pinned tag and ends with the tag that has the package. A tag from which the pinned
    /// one does not inherit, such as that of a module, is a way of its own.
    ///
    /// Example: `["f26-updates", "f26"]` for a package of `f26` in a compose of `f26-updates`.
    ///
    /// Asks the hub only if a package is in another tag. Throws `.sourceUnreachable` (transient) if the hub
    /// does not answer.
    public func ways(from pin: KojiPin.Tag, to tags: Set<KojiPackage.Tag>) async throws(ComposeFailure) -> [KojiPackage.Tag: [String]] {
        func isOwn(_ tag: KojiPackage.Tag) -> Bool { pin.id.map { $0 == tag.id } ?? (tag.name == pin.name) }
        var ways = Dictionary(uniqueKeysWithValues: tags.map { ($0, isOwn($0) ? [pin.name] : [$0.name]) })
        let others = tags.filter { !isOwn($0) }
        guard pin.inherits, !others.isEmpty else { return ways }
        do throws(KojiError) {
            let parents = try await hub.getFullInheritance(pin.id.map(KojiName.id) ?? .name(pin.name), event: pin.event)
            for tag in others {
                let way = Self.way(to: tag.id, among: parents)
                if !way.isEmpty { ways[tag] = [pin.name] + way }
            }
        } catch {
            // The ways only explain packages that are there already, so a hub that refuses the question fails no
            // compose.
            guard error.isRefusal else { throw ComposeFailure(error) }
        }
        return ways
    }

    /// Returns the names of the parents on the way to a tag, which is the last of them. Of several ways it
    /// is the first one that Koji searches. It is empty if the tag is no parent.
    private static func way(to tag: Int, among parents: [KojiInheritance]) -> [String] {
        var names: [String] = []
        var seen: Set<Int> = []
        var next = tag
        while seen.insert(next).inserted, let parent = parents.first(where: { $0.parentID == next }) {
            names.append(parent.name)
            next = parent.childID
        }
        return names.reversed()
    }
}
