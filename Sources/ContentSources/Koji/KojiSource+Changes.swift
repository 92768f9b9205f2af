public import ComposeModel
import Koji

/// Tags, by their numbers, of which somebody knows all changes up to an event.
public struct KnownTags: Hashable, Sendable {
    public var tags: Set<Int>
    public var event: Int

    public init(_ tags: some Sequence<Int>, event: Int) {
        self.tags = Set(tags)
        self.event = event
    }
}

// Whether tags have changed. All throw `.sourceUnreachable` (transient) when the hub does not answer.
extension KojiSource {
    /// The last event of the hub's history of which all before it are visible; `nil` in a Koji too young to tell.
    public func settledEvent() async throws(ComposeFailure) -> Int? {
        do throws(KojiError) { return try await settledEvent(at: try await hub.getLastEvent()) } catch { throw ComposeFailure(error) }
    }

    /// The tags whose changes can change what the pinned one has: itself, its parents and theirs.
    public func tags(of pin: KojiPin.Tag) async throws(ComposeFailure) -> Set<Int> {
        do throws(KojiError) {
            guard let tag = try await hub.getTag(.name(pin.name), event: pin.event) else { throw await hub.noTag(pin.name, at: pin.event) }
            return Set(try await family(of: tag, at: pin.event))
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// Whether any of them has changed since what is known of them all: one call.
    public func hasChanged(_ known: KnownTags) async throws(ComposeFailure) -> Bool {
        do throws(KojiError) {
            return try await hub.tagChangedSinceEvent(known.event, tags: known.tags.sorted())
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// Those that have changed: one request for all.
    public func changed(among known: Set<KnownTags>) async throws(ComposeFailure) -> Set<KnownTags> {
        let known = Array(known)
        do throws(KojiError) {
            let answers = try await hub.tagChangedSinceEvent(each: known.map { (event: $0.event, tags: $0.tags.sorted()) })
            return Set(zip(known, answers).filter(\.1).map(\.0))
        } catch {
            throw ComposeFailure(error)
        }
    }

    /// The builds that the pinned tag, or what it inherits from, had at its event and that were deleted in Koji since, by name, version and release.
    ///
    /// Koji does not list them any more, also not as of then: in place of each stands an older build of the package, or none.
    public func deletedBuilds(of pin: KojiPin.Tag) async throws(ComposeFailure) -> [String] {
        do throws(KojiError) {
            guard let id = pin.id, try await hub.getLastEvent().id > pin.event else { return [] }
            let parents = pin.inherits ? try await hub.getFullInheritance(.id(id), event: pin.event).map(\.parentID) : []
            var deleted: Set<String> = []
            for tag in [id] + parents {
                // A build that is deleted was untagged before, so that the end of its time in the tag is after the event.
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
