import Foundation
import Koji
import ServiceConfiguration
import SystemPackage

/// The keys below `koji`.
extension ConfigurationReader {
    /// Returns the profile of Koji, or `nil` if neither `koji.hub` nor `koji.profile_file` is set. A key
    /// overrides the value of the profile.
    mutating func kojiProfile() throws -> KojiProfile? {
        let file = try optionalPath("koji.profile_file")
        let section = try optionalString("koji.profile")
        let hub = try optionalString("koji.hub")
        let topurl = try optionalString("koji.topurl")
        let topdir = try optionalPath("koji.topdir")
        let ca = try optionalPath("koji.ca")
        let certificate = try optionalPath("koji.certificate")
        let key = try optionalPath("koji.key")
        guard (certificate == nil) == (key == nil) else {
            throw mistake(certificate == nil ? "koji.key" : "koji.certificate", "needs koji.certificate and koji.key together")
        }
        var profile: KojiProfile
        if let file {
            profile = try kojiProfile(section ?? "koji", in: file, hub: hub)
            try chooseFiles(of: &profile, topdir: topdir, topurl: topurl)
        } else {
            if section != nil { throw mistake("koji.profile", "needs koji.profile_file, the file that the profile is in") }
            guard let hub else { return nil }
            profile = try settings("koji.hub") { () throws(KojiError) in try KojiProfile(hub: hub) }
            (profile.topdir, profile.topurl) = (topdir, try topurl.flatMap { try checked($0, hub: hub) })
        }
        guard profile.topurl != nil || profile.topdir != nil else {
            throw mistake(
                file == nil ? "koji.hub" : "koji.profile_file",
                "\(file == nil ? "" : "names a profile without topdir and topurl: it ")needs koji.topdir or koji.topurl, where the packages are"
            )
        }
        profile.serverCA = ca ?? profile.serverCA
        if let certificate, let key { profile.authentication = .clientCertificate(.init(certificate: certificate, key: key)) }
        return profile
    }

    /// Returns a section of a profile file. The file has the form of Koji's own programs, such as
    /// `/etc/koji.conf`.
    private func kojiProfile(_ section: String, in file: FilePath, hub: String?) throws -> KojiProfile {
        guard let bytes = FileManager.default.contents(atPath: file.string) else {
            throw mistake("koji.profile_file", "names a file that does not exist or cannot be read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw mistake("koji.profile_file", "names a file that is not UTF-8 text")
        }
        return try settings("koji.profile_file") { () throws(KojiError) in
            try KojiProfileFile(parsing: text, named: file.string).profile(section, home: FilePath(NSHomeDirectory()), hub: hub)
        }
    }

    /// Chooses the place of Koji's files. If `koji.topdir` or `koji.topurl` is set, both replace the
    /// profile's values. Koji's own profiles name a topdir on all hosts, also on those that do not have it.
    /// A missing topdir of a profile is therefore ignored if the profile has a topurl.
    private func chooseFiles(of profile: inout KojiProfile, topdir: FilePath?, topurl: String?) throws {
        if topdir != nil || topurl != nil {
            (profile.topdir, profile.topurl) = (topdir, try topurl.flatMap { try checked($0, hub: profile.hub) })
        } else if let directory = profile.topdir, profile.topurl != nil, !FileManager.default.fileExists(atPath: directory.string) {
            profile.topdir = nil
        }
    }

    private func checked(_ topurl: String, hub: String) throws -> String? {
        try settings("koji.topurl") { () throws(KojiError) in try KojiProfile(hub: hub, topurl: topurl).topurl }
    }

    private func settings<Value>(_ key: String, _ body: () throws(KojiError) -> Value) throws -> Value {
        do throws(KojiError) { return try body() } catch { throw mistake(key, error.message) }
    }
}
