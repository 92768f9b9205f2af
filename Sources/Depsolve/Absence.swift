import ForeignText
import Repodata

/// A record of all trees in which one pattern matched nothing.
struct Absence {
    let pattern: PackagePattern
    private var arches: [String] = []
    private var isFound = false
    private var nearest: [String] = []
    private var hidden: [HiddenPackage] = []
    private var unnameable: [UnnameablePackage] = []

    /// The maximum number of patterns for which similar names are searched. Each search compares all names
    /// of a repository.
    static let mostWithNearest = 50

    init(_ pattern: PackagePattern) {
        self.pattern = pattern
    }

    mutating func note(
        _ match: PackageSelection.Match, in pool: PackagePool, hidden packages: [HiddenPackage], isNearestWanted: Bool
    ) {
        if hidden.isEmpty { hidden = packages }
        switch match {
        case .packages: isFound = true
        case .notMeant: break
        case .otherArchitecture(let packages):
            arches.append(pool.key.architecture.name)
            if nearest.isEmpty {
                let named = Set(packages.map { "\(pool.nevra($0).name).\(pool.arch($0))" })
                nearest = Array(named.sorted().prefix(NearestNames.limit))
            }
        case .unknown:
            arches.append(pool.key.architecture.name)
            if unnameable.isEmpty { unnameable = pool.unnameable(meantBy: pattern) }
            if nearest.isEmpty, isNearestWanted {
                nearest = NearestNames(candidates: pool.names).nearest(to: pattern.text)
            }
        }
    }

    /// Returns the absent package, or `nil` if some tree has it and no tree lacks it.
    ///
    /// - Parameter all: The architectures of all trees.
    func report(_ all: [String]) -> AbsentPackage? {
        if isFound, arches.isEmpty { return nil }
        return AbsentPackage(
            pattern: pattern.text, arches: isFound ? arches : all, isNowhere: !isFound, nearest: isFound || !hidden.isEmpty ? [] : nearest,
            hidden: hidden, unnameable: isFound ? [] : unnameable)
    }
}
