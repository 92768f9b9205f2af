import RPMDatabases
import Testing

@Suite("The answer of the program that reads rpmdbs")
struct RPMDatabaseAnswerTests {
    private static let packages = RPMDatabaseAnswer.packages([
        DatabasePackage(
            name: "openssl-libs", epoch: 1, version: "3.0.7", release: "28.el9", arch: "x86_64", source: "openssl-3.0.7-28.el9.src.rpm"),
        DatabasePackage(
            name: "nodejs", epoch: 0, version: "18.1", release: "1", arch: "x86_64", source: "nodejs-18.1-1.src.rpm",
            modularityLabel: "nodejs:18:1:c0ffee"),
        DatabasePackage(name: "gpg-pubkey", epoch: 0, version: "1", release: "2", arch: "(none)"),
    ])

    @Test(
        "An answer is read as it was written",
        arguments: [packages, .packages([]), .problem("librpm cannot read the rpmdb: it is damaged"), .problem("")])
    func roundTrip(_ answer: RPMDatabaseAnswer) {
        #expect(RPMDatabaseAnswer(answer.bytes) == answer)
    }

    @Test("A part of an answer is no answer")
    func cut() {
        let whole = Self.packages.bytes
        for count in 0..<whole.count { #expect(RPMDatabaseAnswer(Array(whole.prefix(count))) == nil) }
    }

    @Test(
        "Other output is no answer",
        arguments: ["", "\0", "packages", "end\0", "packages\0a\0end\0", "else\0end\0", "packages\0a\0x\0c\0d\0e\0f\0g\0end\0"])
    func other(_ output: String) {
        #expect(RPMDatabaseAnswer(Array(output.utf8)) == nil)
    }
}
