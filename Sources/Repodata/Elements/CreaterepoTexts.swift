import CCreaterepo
import Glibc

/// Repairs the texts that libcreaterepo_c holds for a package. All repairs are made in place, because
/// no text becomes longer.
enum CreaterepoTexts {
    private typealias Text = UnsafeMutablePointer<CChar>

    /// Whether this libcreaterepo_c reads `&` in an attribute as `&#38;`, as 0.17.3 does.
    static let ampersandsAreReferences: Bool = {
        guard let package = cr_package_new() else { return false }
        defer { cr_package_free(package) }
        package.pointee.pkgId = g_string_chunk_insert(package.pointee.chunk, "0")
        let snippet = "<package pkgid=\"0\" name=\"a\" arch=\"b\"><changelog author=\"a&amp;b\" date=\"1\">c</changelog></package>"
        let code = cr_xml_parse_other_snippet(
            snippet,
            { target, _, _, _, package, _ in
                target?.pointee = package?.assumingMemoryBound(to: cr_Package.self)
                return CR_CB_RET_OK
            }, package, nil, nil, nil, nil, nil)
        guard code == CRE_OK.rawValue, let entry = package.pointee.changelogs?.pointee.data else { return false }
        return entry.assumingMemoryBound(to: cr_ChangelogEntry.self).pointee.author.map { String(cString: $0) } == "a&#38;b"
    }()

    /// Replaces each `&#38;` with `&` in the texts that come from attributes. The result is exact, because
    /// the affected parser writes every `&` as `&#38;`.
    static func restoreAmpersands(of package: UnsafeMutablePointer<cr_Package>) {
        // Several entries may share one text. It must be restored only once.
        var texts: Set<Text> = []
        forEachDependency(of: package) { dependency in
            texts.formUnion([dependency.name, dependency.epoch, dependency.version, dependency.release].compactMap(\.self))
        }
        forEach(package.pointee.changelogs, as: cr_ChangelogEntry.self) { entry in entry.author.map { _ = texts.insert($0) } }
        for text in texts { restoreAmpersands(in: text) }
    }

    /// Puts a space in place of each character that XML does not allow. dnf installs a package with ESC in
    /// its change log, so a compose can contain one.
    static func removeControlCharacters(of package: UnsafeMutablePointer<cr_Package>) {
        let value = package.pointee
        let texts = [
            value.summary, value.description, value.url, value.rpm_license, value.rpm_vendor, value.rpm_group, value.rpm_buildhost,
            value.rpm_packager,
        ]
        for text in texts { removeControlCharacters(in: text) }
        forEach(value.changelogs, as: cr_ChangelogEntry.self) { entry in
            removeControlCharacters(in: entry.author)
            removeControlCharacters(in: entry.changelog)
        }
        forEach(value.files, as: cr_PackageFile.self) { file in
            removeControlCharacters(in: file.path)
            removeControlCharacters(in: file.name)
        }
    }

    private static func restoreAmpersands(in text: Text) {
        guard strstr(text, "&#38;") != nil else { return }
        var (source, target) = (text, text)
        while source.pointee != 0 {
            target.pointee = source.pointee
            source += strncmp(source, "&#38;", 5) == 0 ? 5 : 1
            target += 1
        }
        target.pointee = 0
    }

    private static func removeControlCharacters(in text: Text?) {
        guard var next = text else { return }
        while next.pointee != 0 {
            if (1..<32).contains(next.pointee), ![9, 10, 13].contains(next.pointee) { next.pointee = CChar(UInt8(ascii: " ")) }
            next += 1
        }
    }

    private static func forEachDependency(of package: UnsafeMutablePointer<cr_Package>, _ body: (cr_Dependency) -> Void) {
        let value = package.pointee
        let lists = [
            value.requires, value.provides, value.conflicts, value.obsoletes, value.suggests, value.enhances, value.recommends,
            value.supplements,
        ]
        for list in lists { forEach(list, as: cr_Dependency.self, body) }
    }

    private static func forEach<Element>(_ list: UnsafeMutablePointer<GSList>?, as: Element.Type, _ body: (Element) -> Void) {
        var next = list
        while let node = next {
            if let element = node.pointee.data { body(element.assumingMemoryBound(to: Element.self).pointee) }
            next = node.pointee.next
        }
    }
}
