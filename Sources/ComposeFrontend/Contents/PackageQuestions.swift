import ComposeModel
import Foundation
import ImageModel

extension PackageList {
    /// Returns why each build of a package is in the compose. Blocks.
    func origins(ofPackagesNamed name: String) throws -> [ComposeWhyDocument.Package] {
        try packages(named: name).map { package in
            ComposeWhyDocument.Package(
                package, chain: try chain(from: package), source: source(of: package),
                koji: ComposeWhyDocument.Koji(package, ways: head.inheritance ?? [:]),
                overruled: overruled(by: package))
        }
    }

    /// Returns the packages of the same name, version and architecture as a package, which were not taken,
    /// each as a sentence without its end.
    func overruled(by package: LockedPackage) -> [String] {
        let files = (package.otherFiles ?? []).map { repository in
            let place = head.sources.first { $0.repomd == repository }?.location ?? "another source"
            let taken = source(of: package)
            return "\(package.nevra) is not the same in \(taken) and in \(place); that of \(taken) is taken for \(package.tree)"
        }
        // The findings of other repositories do not name them, if the files do.
        let findings = head.overruled.filter {
            $0.package.text == package.nevra && $0.arch == package.tree && (files.isEmpty || $0.listing == $0.taken)
        }
        return findings.map(\.reason) + files
    }

    /// Returns the builds of a package that the repositories have too, and that are older.
    func older(than package: LockedPackage) -> [String] {
        guard let taken = InstalledPackage(nevra: package.nevra, module: nil)?.evr else { return [] }
        return (package.otherBuilds ?? []).filter { InstalledPackage(nevra: $0, module: nil).map { $0.evr < taken } ?? false }
    }

    /// Returns the way from a package to the request. A package that is not in the compose is in the
    /// lookaside repositories, and ends the way.
    private func chain(from package: LockedPackage) throws -> [ComposeWhyDocument.Link] {
        var links: [ComposeWhyDocument.Link] = []
        var seen: Set<String> = []
        var next: LockedPackage? = package
        while let link = next, seen.insert(link.nevra).inserted {
            links.append(.init(package: link.nevra, why: link.why, kind: link.reason.kind))
            guard let cause = link.reason.cause else { break }
            guard let name = InstalledPackage(nevra: cause, module: nil)?.name else { break }
            let found = try packages(named: name).filter { $0.nevra == cause }
            next = found.first { $0.tree == link.tree } ?? found.first
            if next == nil {
                links.append(.init(package: cause, why: "in the lookaside repositories", kind: "lookaside"))
            }
        }
        return links
    }

    /// Returns the repository or the tag that has a package, in words.
    func source(of package: LockedPackage) -> String {
        if let source = head.sources.first(where: { $0.repomd == package.repomd }) { return source.location }
        if let tag = head.koji?.tag { return "tag \(tag.name)" }
        return "Koji"
    }
}

/// The difference between the packages of two composes.
struct PackageListDifference {
    private let from: PackageList
    private let to: PackageList
    let pins: [ComposeDifferenceDocument.Pin]
    let isOtherRequest: Bool

    init(from: PackageList, to: PackageList) {
        self.from = from
        self.to = to
        isOtherRequest = from.head.request != to.head.request
        let (old, new) = (Self.inputs(of: from.head), Self.inputs(of: to.head))
        pins = Set(old.keys).union(new.keys).sorted().compactMap { input in
            old[input] == new[input] ? nil : .init(input: input, from: old[input], to: new[input])
        }
    }

    /// Compares the packages. Blocks.
    func trees() throws -> [ComposeDifferenceDocument.Tree] {
        let (old, new) = (try Self.packages(of: from), try Self.packages(of: to))
        return Set(old.keys).union(new.keys).sorted().compactMap { name in
            let tree = tree(name, from: old[name] ?? [:], to: new[name] ?? [:])
            return tree.isEmpty ? nil : tree
        }
    }

    private typealias Packages = [PackageLine: [(evr: EVR, package: LockedPackage)]]

    /// Returns the packages by their trees. The newest build of a line is last.
    private static func packages(of list: PackageList) throws -> [String: Packages] {
        var trees: [String: Packages] = [:]
        try list.forEach { package in
            guard let read = InstalledPackage(nevra: package.nevra, module: package.module) else { return }
            trees[String(package.tree), default: [:]][read.line, default: []].append((read.evr, package))
        }
        return trees.mapValues { $0.mapValues { $0.sorted { $0.evr < $1.evr } } }
    }

    private func tree(_ name: String, from old: Packages, to new: Packages) -> ComposeDifferenceDocument.Tree {
        var tree = ComposeDifferenceDocument.Tree(name)
        for line in Set(old.keys).union(new.keys).sorted() {
            let (before, after) = (old[line] ?? [], new[line] ?? [])
            let builds = (before.map(\.evr), after.map(\.evr))
            if builds.0 == builds.1, before.map(\.package.checksum) == after.map(\.package.checksum) { continue }
            let cause = (after.last.map { ($0.package, to) } ?? before.last.map { ($0.package, from) }).map(cause) ?? ""
            let change = ComposeDifferenceDocument.Change(line, before: builds.0, after: builds.1, cause: cause)
            if before.isEmpty {
                tree.added.append(change)
            } else if after.isEmpty {
                tree.removed.append(change)
            } else if builds.0 == builds.1 {
                tree.other.append(change)
            } else if let last = builds.1.last, let first = builds.0.last, last < first {
                tree.downgraded.append(change)
            } else {
                tree.upgraded.append(change)
            }
        }
        return tree
    }

    /// Returns why a package differs, in words: the input that has it and that differs, or else the request
    /// or another package.
    private func cause(of package: LockedPackage, in list: PackageList) -> String {
        let input = list.source(of: package)
        if let pin = pins.first(where: { $0.input == input }) {
            if pin.from == nil { return "only the second compose has \(input)" }
            return pin.to == nil ? "only the first compose has \(input)" : "\(input) changed"
        }
        if isOtherRequest { return "the requests differ" }
        return pins.isEmpty ? "the order of the inputs differs" : "what needs it changed: \(package.why)"
    }

    /// Returns the inputs with their states.
    private static func inputs(of head: PackageList.LockHead) -> [String: String] {
        var inputs = Dictionary(head.sources.map { ($0.location, $0.repomd) }, uniquingKeysWith: { first, _ in first })
        if let tag = head.koji?.tag { inputs["tag \(tag.name)"] = "event \(tag.event)" }
        return inputs
    }
}
