import Deliveries
import Foundation
import SystemPackage

extension BrokerLogin {
    /// The file with the authorities of the system.
    static let systemAuthorities = FilePath("/etc/ssl/certs/ca-certificates.crt")

    /// The password of the user, which is read anew for each connection. Empty if there is no file.
    func password() throws(BrokerProblem) -> String {
        guard let passwordFile else { return "" }
        guard let text = FileManager.default.contents(atPath: passwordFile.string).map({ String(decoding: $0, as: UTF8.self) }),
            let line = text.split(whereSeparator: \.isNewline).first
        else { throw BrokerProblem("Its password_file cannot be read, or is empty.") }
        return String(line)
    }
}
