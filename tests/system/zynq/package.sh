#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What the Debian package of scripts/cross/package must hold; unpacks it into a folder.
#   package.sh DEB FOLDER
set -euo pipefail
deb=$1 folder=$2
fail() { echo "package: $deb: $1" >&2; exit 1; }
rm -rf "$folder"
dpkg-deb -x "$deb" "$folder"
list=$(dpkg-deb -c "$deb" | awk '{ print $1, $2, $6 }')
[ -z "$(awk '$2 != "root/root"' <<<"$list")" ] || fail "files of others than root"
version=$(dpkg-deb -f "$deb" Version)
for file in usr/bin/bdnn usr/include/bdnn.h usr/include/bdnn_version.h usr/include/bdnn_data.h usr/include/bdnn_measure.h \
    'usr/lib/*/libbdnn.so' "usr/lib/*/libbdnn.so.$version" 'usr/lib/*/libbdnn.a' 'usr/lib/*/pkgconfig/bdnn.pc' \
    lib/udev/rules.d/60-bdnn.rules usr/share/doc/bdnn/bdnn,accelerator.yaml usr/share/doc/bdnn/copyright usr/share/doc/bdnn/changelog.gz \
    usr/share/doc/bdnn/use/cli.md usr/share/doc/bdnn/use/deploy-zynq.md usr/share/doc/bdnn/reference/driver.md \
    "usr/src/bdnn-$version/dkms.conf" "usr/src/bdnn-$version/Makefile" "usr/src/bdnn-$version/Kbuild" "usr/src/bdnn-$version/bdnn_hw.h"; do
    compgen -G "$folder/$file" >/dev/null || fail "no $file"
done
case $(dpkg-deb -f "$deb" Depends) in
*libc6*libxxhash0*) ;;
*) fail "it does not say what it needs" ;;
esac
(cd "$folder" && dpkg-deb --ctrl-tarfile "$OLDPWD/$deb" | tar -xO ./md5sums | md5sum --quiet -c) || fail "its checksums are not its files'"

# Each overlay fits onto a device tree with the labels that it names.
cat >"$folder/base.dts" <<'END'
/dts-v1/;
/ {
    #address-cells = <2>;
    #size-cells = <2>;
    fpga_full: fpga-full { #address-cells = <2>; #size-cells = <2>; };
    gic: gic { #interrupt-cells = <3>; interrupt-controller; };
    intc: intc { #interrupt-cells = <3>; interrupt-controller; };
    zynqmp_clk: clock-controller { #clock-cells = <1>; };
    clkc: clkc { #clock-cells = <1>; };
};
END
dtc -q -@ -I dts -O dtb -o "$folder/base.dtb" "$folder/base.dts"
overlays=0
for overlay in "$folder"/usr/share/bdnn/overlays/*.dtbo; do
    fdtoverlay -i "$folder/base.dtb" -o "$folder/merged.dtb" "$overlay" || fail "$overlay does not apply"
    dtc -q -I dtb -O dts "$folder/merged.dtb" | grep -q 'compatible = "bdnn,accelerator-1"' || fail "$overlay adds no accelerator"
    overlays=$((overlays + 1))
done
sources=("$(dirname "$0")"/../../../driver/overlays/*.dtso)
[ $overlays -eq ${#sources[@]} ] || fail "$overlays overlays"
echo "package: $(basename "$deb"): complete, its $overlays overlays apply"
