#!/bin/sh
# Makes the shipped prompts and music again, from texts.tsv and from nothing else.
# Needs espeak-ng and sox. Usage: make.sh [FOLDER]; without one the files beside it are replaced.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Silence is cut at both ends and a tenth of a second put back, so that prompts can be joined.
# -R keeps the dither the same, so that the same tools write the same bytes.
say() { # voice, words a minute, text, file without its ending
    espeak-ng -v "$1" -s "$2" -w "$scratch/said.wav" "$3"
    for rate in 8000 16000; do
        sox -R "$scratch/said.wav" -b 16 -c 1 -r "$rate" "$4$(ending "$rate")" \
            gain -6 highpass 120 silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse \
            pad 0.05 0.1 rate -v "$rate" norm -6
    done
}

# The engine takes name.wav for narrowband and name.16k.wav for wideband listeners.
ending() { # rate
    if [ "$1" = 16000 ]; then echo .16k.wav; else echo .wav; fi
}

speak() { # language, voice, words a minute, column of texts.tsv
    mkdir -p "$out/$1"
    grep -v '^#' "$here/texts.tsv" | cut -f "1,$4" | while IFS="$(printf '\t')" read -r name text; do
        say "$2" "$3" "$text" "$out/$1/$name"
    done
}

# One bar: a chord held for ten seconds, and over it the notes of a melody, if any.
bar() { # file, four frequencies with their weights in remix form, melody
    file=$1 chord=$2 mix=$3
    shift 3
    # shellcheck disable=SC2086
    sox -R -n -r 48000 -c 4 "$scratch/chord.wav" synth 10 $chord gain -3
    sox -R "$scratch/chord.wav" "$scratch/pad.wav" remix -m "$mix" fade q 0.05 10 0.05
    if [ $# -eq 0 ]; then
        mv "$scratch/pad.wav" "$file"
        return
    fi
    notes=""
    count=0
    for note; do
        count=$((count + 1))
        sox -R -n -r 48000 "$scratch/note$count.wav" synth 1.25 sine "$note" \
            fade q 0.01 1.25 1.2 gain -8
        notes="$notes $scratch/note$count.wav"
    done
    # shellcheck disable=SC2086
    sox -R $notes "$scratch/melody.wav"
    sox -R -m -v 1 "$scratch/pad.wav" -v 1 "$scratch/melody.wav" "$file" trim 0 10
}

music() {
    mkdir -p "$out/music"
    # The first bar has no melody: A4, 440 Hz, is by far the strongest, which tests rely on.
    bar "$scratch/1.wav" "sine 440 sine 220 sine 329.63 sine 554.37" 1v0.70,2v0.12,3v0.10,4v0.08
    bar "$scratch/2.wav" "sine 185 sine 277.18 sine 369.99 sine 440" 1v0.2,2v0.2,3v0.2,4v0.2 \
        554.37 440 493.88 554.37 659.26 554.37 493.88 440
    bar "$scratch/3.wav" "sine 146.83 sine 220 sine 293.66 sine 369.99" 1v0.2,2v0.2,3v0.2,4v0.2 \
        587.33 493.88 440 587.33 739.99 659.26 587.33 493.88
    bar "$scratch/4.wav" "sine 164.81 sine 246.94 sine 329.63 sine 415.3" 1v0.2,2v0.2,3v0.2,4v0.2 \
        493.88 659.26 587.33 493.88 415.3 493.88 554.37 493.88
    for rate in 8000 16000; do
        sox -R "$scratch/1.wav" "$scratch/2.wav" "$scratch/3.wav" "$scratch/4.wav" \
            -b 16 -c 1 -r $rate "$out/music/default$(ending $rate)" rate -v $rate norm -14
    done
}

speak en en-gb 150 2
# The plain voice "cmn" of espeak-ng 1.51 says pinyin with English sounds and its tones as English
# numbers ("ni two"); this one says Mandarin.
speak zh-hant cmn-latn-pinyin 190 3
speak zh-hans cmn-latn-pinyin 190 4
music
