import Koji
import Synchronization

/// Kept listings are the packages of tags that this worker listed last. They are in memory only.
///
/// The listings that were used last stay, up to a number of packages.
final class KeptListings: Sendable {
    /// The question that a listing answers.
    struct Key: Hashable, Sendable {
        let tag: Int
        let inherits: Bool
        let arches: Set<String>
    }

    /// A listing, with all that is needed to find out later what has changed since.
    struct Listing: Sendable {
        var content: KojiContent
        /// An event up to which all changes were visible when the packages were listed. A package without a
        /// later change is the same at each event from this one on.
        var settledEvent: Int
        /// The numbers of the tag and of all tags that it inherits from.
        let family: [Int]
        /// The time when the tag was listed as a whole.
        let listedAsWhole: ContinuousClock.Instant
    }

    private struct State {
        var listings: [Key: (listing: Listing, lastUse: Int)] = [:]
        /// The number of uses so far.
        var uses = 0
        var packages: Int { listings.values.reduce(0) { $0 + $1.listing.content.listed.count } }
    }

    private let state = Mutex(State())
    /// The maximum number of packages of all listings.
    private let mostPackages: Int

    init(mostPackages: Int = 200_000) { self.mostPackages = mostPackages }

    func listing(_ key: Key) -> Listing? {
        state.withLock { state in
            state.uses += 1
            state.listings[key]?.lastUse = state.uses
            return state.listings[key]?.listing
        }
    }

    /// Keeps a listing instead of an older one. Listings that were not used for the longest time are
    /// forgotten, until the rest is within the limit.
    func keep(_ listing: Listing, as key: Key) {
        state.withLock { state in
            if let known = state.listings[key]?.listing, known.settledEvent > listing.settledEvent { return }
            state.uses += 1
            state.listings[key] = (listing, state.uses)
            if listing.content.listed.count > mostPackages { state.listings[key] = nil }
            while state.packages > mostPackages, let oldest = state.listings.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.listings[oldest.key] = nil
            }
        }
    }
}
