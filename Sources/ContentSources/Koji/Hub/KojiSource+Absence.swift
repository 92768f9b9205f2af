public import ComposeModel
import Koji
public import Repodata

/// The facts of Koji about packages that a compose of a tag does not have.
public struct KojiAbsence: Sendable {
    /// A package that a tag blocks, and the tag.
    public struct Blocked: Hashable, Sendable {
        /// The name of the package, which is that of its source RPM.
        public let package: String
        public let tag: String
    }

    /// An RPM in the tag that a compose does not use: of a build that was not tagged last, or of another
    /// architecture.
    public struct Older: Hashable, Sendable {
        public let package: NEVRA
        /// The build, as name, version and release.
        public let build: String
    }

    public internal(set) var blocked: [Blocked] = []
    public internal(set) var older: [Older] = []
}

extension KojiSource {
    /// The number of names of packages that an RPM may be built from.
    private static let mostNames = 4

    /// Returns why a tag has no packages that `isMeant` means, or only other builds of them.
    ///
    /// - Parameters:
    ///   - name: The name of an RPM.
    ///   - sourceName: The name of its source RPM. If it is `nil`, the name itself and its beginnings are
    ///     tried. Example: `httpd` for `httpd-tools`.
    ///   - listed: The packages that the tag has, which are not reported.
    ///
    /// Throws `.sourceUnreachable` (transient) if the hub does not answer.
    public func absence(
        of name: String, builtFrom sourceName: String?, in tag: KojiPin.Tag, besides listed: [NEVRA],
        isMeant: @escaping @Sendable (NEVRA) -> Bool
    ) async throws(ComposeFailure) -> KojiAbsence {
        var found = KojiAbsence()
        let known = Set(listed)
        do {
            let current = try await tags.currentName(of: tag)
            for package in sourceName.map({ [$0] }) ?? Self.possibleSources(of: name) {
                for entry in try await entries(of: package, in: current, event: tag.event) where entry.isBlocked {
                    found.blocked.append(.init(package: entry.name, tag: entry.tagName))
                }
                let content = try await hub.listTaggedRPMS(
                    current, event: tag.event, inherit: tag.inherits, package: package, into: KojiContent()
                ) { content, row in content.add(row) }
                found.older += content.listed.filter { isMeant($0.nevra) && !known.contains($0.nevra) }.map { rpm in
                    .init(package: rpm.nevra, build: content.builds[rpm.buildID]?.nvr ?? package)
                }
            }
        } catch let error as KojiError {
            throw ComposeFailure(error)
        } catch {
            throw ComposeFailure(error, otherwise: "Koji's list of packages could not be read.")
        }
        return found
    }

    /// Returns those of the packages that none of the keys has signed, or of which Koji has no file with
    /// such a signature. The packages of the result have the keys that have signed them.
    ///
    /// - Parameter keys: The keys in the form of requests. The empty key allows unsigned packages.
    public func unsigned(among packages: [KojiPackage], sigkeys keys: [String]) async throws(ComposeFailure) -> [SignedChoice.Unsigned] {
        guard !keys.isEmpty, !keys.contains("") else { return [] }
        return try await files.copies(of: try await withSignatures(packages), signedBy: keys).unsigned
    }

    private func entries(of package: String, in tag: KojiName, event: Int) async throws(KojiError) -> [KojiListedPackage] {
        do throws(KojiError) {
            return try await hub.listPackages(of: tag, named: package, event: event)
        } catch {
            // Koji has no package of that name at all.
            guard error.isRefusal else { throw error }
            return []
        }
    }

    private static func possibleSources(of name: String) -> [String] {
        var names = [name]
        var rest = name[...]
        while names.count < mostNames, let dash = rest.lastIndex(of: "-"), dash != rest.startIndex {
            rest = rest[..<dash]
            names.append(String(rest))
        }
        return names
    }
}
