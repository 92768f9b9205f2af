import CSolv
import ForeignText
import Glibc

/// A search for the nearest providers of a dependency that nothing provides. They provide the same
/// thing in another version.
struct NearestProviders {
    private unowned let pool: PackagePool
    /// The provided libraries, by the name of the library without its version: `libfoo.so.1()(64bit)` and
    /// `libfoo.so.2()(64bit)` together.
    private let libraries: [ByteText: [Id]]
    /// A cache of earlier results. Thousands of packages may lack versions of the same thing.
    private let known = Known()

    private final class Known {
        var providers: [Id: [String]] = [:]
        var libraries: [ByteText: [String]] = [:]
    }

    init(_ pool: PackagePool) {
        self.pool = pool
        var libraries: [ByteText: [(id: Id, text: String)]] = [:]
        for id in 1..<pool.pool.pointee.ss.nstrings {
            if strstr(pool_id2str(pool.pool, id), ".so.") != nil, let stem = Self.stem(pool.text(id)) {
                libraries[stem, default: []].append((id, pool.text(id)))
            }
        }
        self.libraries = libraries.mapValues { $0.sorted { $0.text.precedesInBytes($1.text) }.map(\.id) }
    }

    /// Returns descriptions such as `libfoo-1.2-1.x86_64 provides libfoo = 1.2`. There are at most three,
    /// the best versions first.
    ///
    /// - Parameter hint: Returns the reason why a package is not available although it provides the
    ///   dependency itself. Returns `nil` if the package is not to be named.
    func nearest(to dependency: Id, hint: (Id) -> String? = { _ in nil }) -> [String] {
        var found: [String] = []
        for leaf in RichDependency(dependency, in: pool).positiveLeaves {
            guard pool.providers(leaf).isEmpty else {
                found += describe(leaf, hint: hint)
                continue
            }
            let name = name(of: leaf)
            let similar = name == leaf ? [] : describe(name)
            found += similar.isEmpty ? Self.stem(pool.text(name)).map(describeLibraries) ?? [] : similar
        }
        return Array(found.prefix(NearestNames.limit))
    }

    /// Returns the name of a library without its version and symbols: `libfoo.so.()(64bit)` for
    /// `libfoo.so.1(FOO_1.2)(64bit)`. Returns `nil` if `text` is not the name of a library.
    private static func stem(_ text: String) -> ByteText? {
        guard let marker = text.utf8.firstRange(of: ".so.".utf8) else { return nil }
        return ByteText(text[..<marker.upperBound] + (text.hasSuffix("(64bit)") ? "()(64bit)" : ""))
    }

    /// Returns the name in a dependency, without the version.
    private func name(of dependency: Id) -> Id {
        var id = dependency
        while id < 0 { id = pool.relation(id).name }
        return id
    }

    /// Describes the providers of all versions of a library, in the order of their names.
    private func describeLibraries(_ stem: ByteText) -> [String] {
        if let found = known.libraries[stem] { return found }
        var found: [String] = []
        for library in libraries[stem] ?? [] where found.count < NearestNames.limit { found += describe(library) }
        known.libraries[stem] = found
        return found
    }

    private func describe(_ dependency: Id) -> [String] {
        if let found = known.providers[dependency] { return found }
        let found = describe(dependency, hint: { _ in "" })
        known.providers[dependency] = found
        return found
    }

    private func describe(_ dependency: Id, hint: (Id) -> String?) -> [String] {
        let name = name(of: dependency)
        // All providers are examined and three are shown, so the whole list is not sorted.
        var best: [Id] = []
        for provider in pool.providers(dependency) where provider > SYSTEMSOLVABLE && hint(provider) != nil {
            let place = best.firstIndex { pool.areInOrder($0, provider) } ?? best.count
            guard place < NearestNames.limit else { continue }
            best.insert(provider, at: place)
            if best.count > NearestNames.limit { best.removeLast() }
        }
        return best.map { package in
            let provided = pool.inOrder(
                pool.dependencies(package, at: pool.solvable(package).pointee.provides).filter { self.name(of: $0) == name }
            ).first
            return "\(pool.nevra(package))\(hint(package) ?? "") provides \(pool.text(ofDependency: provided ?? name))"
        }
    }
}
