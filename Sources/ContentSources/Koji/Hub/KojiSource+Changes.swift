public import ComposeModel
import Koji

/// A set of tags, by their numbers, and an event. The caller knows all changes of these tags up to that
/// event.
public struct KnownTags: Hashable, Sendable {
    public var tags: Set<Int>
    public var event: Int

    public init(_ tags: some Sequence<Int>, event: Int) {
        self.tags = Set(tags)
        self.event = event
    }
}

// Queries for changes of tags. All throw `.sourceUnreachable` (transient) if the hub does not answer.
extension KojiSource {
    /// Returns the last event of the hub's history for which it and all earlier events are visible. Returns
    /// `nil` if Koji's history is too short to know.
    public func settledEvent() async throws(ComposeFailure) -> Int? {
        do throws(KojiError) { return try await settledEvent(at: try await hub.getLastEvent()) } catch { throw ComposeFailure(error) }
    }

    /// Returns the tags whose changes can change the content of the pinned tag: the tag itself and all its
    /// ancestors.
    public func tags(of pin: KojiPin.Tag) async throws(ComposeFailure) -> Set<Int> {
        do throws(KojiError) {
            guard let tag = try await hub.getTag(.name(pin.name), event: pin.event) else { throw await hub.noTag(pin.name, at: pin.event) }
            return Set(try await hub.family(of: tag.id, at: pin.event))
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// Returns whether any of the tags has changed since the event. Needs one call to the hub.
    public func hasChanged(_ known: KnownTags) async throws(ComposeFailure) -> Bool {
        do throws(KojiError) {
            return try await hub.tagChangedSinceEvent(known.event, tags: known.tags.sorted())
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// Returns the sets with a tag that has changed since the set's event. Needs one request for all sets.
    public func changed(among known: Set<KnownTags>) async throws(ComposeFailure) -> Set<KnownTags> {
        let known = Array(known)
        do throws(KojiError) {
            let answers = try await hub.tagChangedSinceEvent(each: known.map { (event: $0.event, tags: $0.tags.sorted()) })
            return Set(zip(known, answers).filter(\.1).map(\.0))
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// Returns the builds that the pinned tag or its ancestors had at its event, and that were deleted in
    /// Koji since. Each is given by name, version and release.
    ///
    /// Koji no longer lists such a build, not even as of the event. In its place Koji lists an older build
    /// of the package, or none.
    public func deletedBuilds(of pin: KojiPin.Tag) async throws(ComposeFailure) -> [String] {
        do throws(KojiError) {
            guard let id = pin.id, try await hub.getLastEvent().id > pin.event else { return [] }
            let parents = pin.inherits ? try await hub.getFullInheritance(.id(id), event: pin.event).map(\.parentID) : []
            var deleted: Set<String> = []
            for tag in [id] + parents {
                // A build must be untagged before it is deleted, so its time in the tag ended after the event.
                for change in try await hub.queryHistory(tag: .id(tag), tables: [.tagListing], afterEvent: pin.event)
                where change.tagID == tag && change.createEvent <= pin.event && change.buildState == .deleted {
                    deleted.insert("\(change.packageName ?? "")-\(change.version ?? "")-\(change.release ?? "")")
                }
            }
            return deleted.sorted()
        } catch {
            throw ComposeFailure(error)
        }
    }
}
